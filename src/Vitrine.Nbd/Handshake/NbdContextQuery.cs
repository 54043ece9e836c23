using System.Diagnostics.CodeAnalysis;
using Vitrine.Nbd.Wire;

namespace Vitrine.Nbd.Handshake;

/// <summary>The data of NBD_OPT_LIST_META_CONTEXT and NBD_OPT_SET_META_CONTEXT: what is to be known of an export's ranges.</summary>
/// <remarks>
/// <code>
///  0             4      4+n                 8+n
///  +-------------+------+-------------------+
///  | name length | name | number of queries |  then each query: its length, of 32 bits, and its text
///  +-------------+------+-------------------+
/// </code>
/// </remarks>
internal sealed record NbdContextQuery(string Name, IReadOnlyList<string> Queries)
{
    /// <summary>The one context that we have.</summary>
    public const string Allocation = "base:allocation";

    private const string Everything = "base:";

    /// <summary>No query at all means every context, where a client wants to know which there are.</summary>
    public bool ListsAllocation => Queries.Count == 0 || Queries.Any(q => q is Allocation or Everything);

    /// <summary>A context is chosen by its name; the names that stand for several choose none.</summary>
    public bool ChoosesAllocation => Queries.Contains(Allocation);

    public static bool TryRead(ReadOnlySpan<byte> data, [NotNullWhen(true)] out NbdContextQuery? query)
    {
        query = null;
        var reader = new BigEndianReader(data);
        if (!NbdText.TryReadCounted(ref reader, out var name) || reader.Remaining < sizeof(uint))
            return false;

        var count = reader.ReadUInt32();
        if (count > reader.Remaining / sizeof(uint))
            return false;

        var queries = new string[count];
        for (var i = 0; i < queries.Length; i++)
        {
            if (!NbdText.TryReadCounted(ref reader, out var text))
                return false;

            queries[i] = text;
        }

        if (reader.Remaining != 0)
            return false;

        query = new NbdContextQuery(name, queries);
        return true;
    }
}
