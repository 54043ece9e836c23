namespace Vitrine.Formats.Qcow2;

/// <summary>What each cluster of a window of the content is used for, for which part of a disk, and how many times.</summary>
/// <remarks>
/// One word for each, bit 63 left:
/// <code>
///  63 …  43  42 …   3   2 … 0
///  +--------+----------+------+
///  | times  | position | use  |
///  +--------+----------+------+
/// </code>
/// </remarks>
internal sealed class Qcow2ClusterUses(int capacity)
{
    private const int UseBits = 3;
    private const int PositionBits = 40;
    private const ulong MaxTimes = (1UL << (64 - UseBits - PositionBits)) - 1;

    private readonly ulong[] _words = new ulong[capacity];

    /// <summary>The first cluster of the window.</summary>
    public long First { get; private set; }

    public int Count => _words.Length;

    public void MoveTo(long first)
    {
        First = first;
        Array.Clear(_words);
    }

    public bool Contains(long cluster) => cluster >= First && cluster < First + Count;

    /// <summary>Notes a use of a cluster, or does nothing where the cluster is not in the window.</summary>
    /// <param name="position">Where a table or cluster belongs in a disk. Snapshots share it there and nowhere else.</param>
    /// <exception cref="Content.UnsafeContentException">The cluster has a use that does not go with this one.</exception>
    public void Add(long cluster, Qcow2ClusterUse use, long position, long times)
    {
        if (!Contains(cluster))
            return;

        ref var word = ref _words[cluster - First];
        var mark = (ulong)use | (ulong)position << UseBits;
        if (word == 0)
            word = mark;
        else if (use == Qcow2ClusterUse.Table || (word & MarkBits) != mark)
            throw Qcow2Refusal.Overlap($"there are two uses for its cluster {cluster}");

        word = mark | Math.Min(MaxTimes, TimesOf(word) + (ulong)times) << (UseBits + PositionBits);
    }

    public Qcow2ClusterUse UseOf(long cluster) => (Qcow2ClusterUse)(_words[cluster - First] & (1 << UseBits) - 1);

    public long PositionOf(long cluster) => (long)(_words[cluster - First] & MarkBits) >> UseBits;

    public long TimesOf(long cluster) => (long)TimesOf(_words[cluster - First]);

    private const ulong MarkBits = (1UL << (UseBits + PositionBits)) - 1;

    private static ulong TimesOf(ulong word) => word >> (UseBits + PositionBits);
}

internal enum Qcow2ClusterUse
{
    None,

    /// <summary>The header, or a part of a table of which there is one, or of a refcount block. It is used once.</summary>
    Table,

    /// <summary>An L2 table; snapshots may share it.</summary>
    L2,

    /// <summary>A cluster of a disk; snapshots may share it.</summary>
    Data,

    /// <summary>Parts of compressed clusters, whichever they are.</summary>
    Compressed,
}
