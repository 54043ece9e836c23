using Vitrine.Disks;

namespace Vitrine.Formats.Qcow2;

/// <summary>Finds where the bytes of one disk are: the image's own one, or that of a snapshot.</summary>
/// <remarks>An offset has three parts: the entry of the L1 table, the entry of the L2 table which that one points to, and the byte inside the cluster.</remarks>
/// <param name="contentLength">No data may lie beyond it.</param>
internal sealed class Qcow2Map(Qcow2Header header, Qcow2L1 l1, Qcow2Tables tables, long contentLength)
{
    private const ulong None = 0;

    private readonly int _entryWords = header.HasSubclusters ? 2 : 1;

    /// <summary>The bytes of the disk that the words of one page of a table map.</summary>
    private long PageSpan => (long)(tables.PageWords / _entryWords) << header.ClusterBits;

    /// <summary>The longest run from an offset on.</summary>
    /// <param name="length">No more is of interest.</param>
    /// <exception cref="Content.UnsafeContentException">The tables cannot be right.</exception>
    public async ValueTask<Qcow2Run> FindAsync(long offset, long length, CancellationToken cancellationToken)
    {
        var run = await FindPartAsync(offset, length, isKindEnough: false, cancellationToken);
        while (run.Length < length && (offset + run.Length) % PageSpan == 0)
        {
            var next = await FindPartAsync(offset + run.Length, length - run.Length, isKindEnough: false, cancellationToken);
            if (!run.GoesOnWith(next))
                break;

            run = run with { Length = run.Length + next.Length };
        }

        return run;
    }

    /// <summary>What is of one kind from an offset on, as far as one page of a table tells, wherever it is in the content.</summary>
    public ValueTask<Qcow2Run> FindKindAsync(long offset, long length, CancellationToken cancellationToken) =>
        FindPartAsync(offset, length, isKindEnough: true, cancellationToken);

    private async ValueTask<Qcow2Run> FindPartAsync(long offset, long length, bool isKindEnough, CancellationToken cancellationToken)
    {
        var index = offset >> header.TableSpanBits;
        var l1Words = await tables.GetAsync(l1.Offset, index, l1.Entries, cancellationToken);
        var table = Qcow2Cluster.ReadTableOffset(l1Words.Span[0], header);
        if (table == 0)
        {
            var absent = l1Words.Span.IndexOfAnyExcept(None) is >= 0 and var other ? other : l1Words.Length;
            return new Qcow2Run(ExtentKind.Absent, Math.Min(length, (index + absent << header.TableSpanBits) - offset), 0, 0);
        }

        var cluster = offset >> header.ClusterBits & (1L << header.TableBits) - 1;
        var words = await tables.GetAsync(table, cluster * _entryWords, (long)_entryWords << header.TableBits, cancellationToken);
        return Merge(words.Span, (int)(offset & header.ClusterSize - 1), length, isKindEnough) with { IsInTable = true };
    }

    private Qcow2Run Merge(ReadOnlySpan<ulong> words, int start, long length, bool isKindEnough)
    {
        var merged = RunFrom(words, start, length);
        while (merged.Length < length)
        {
            var end = start + merged.Length;
            var entry = (int)(end >> header.ClusterBits) * _entryWords;
            if (entry >= words.Length)
                break;

            var next = RunFrom(words[entry..], (int)(end & header.ClusterSize - 1), length - merged.Length);
            if (isKindEnough ? merged.Kind != next.Kind : !merged.GoesOnWith(next))
                break;

            merged = merged with { Length = merged.Length + next.Length };
        }

        return merged;
    }

    private Qcow2Run RunFrom(ReadOnlySpan<ulong> words, int start, long length)
    {
        var run = Qcow2Cluster.Read(words[0], header.HasSubclusters ? words[1] : 0, header).RunFrom(start, header);
        run = run with { Length = Math.Min(run.Length, length) };

        // The last cluster may be cut where the disk ends, and one with subclusters behind those that are kept.
        if (run.Kind == ExtentKind.Data && !run.IsCompressed && run.Host + run.Length > contentLength)
            throw Refusal.Truncated("qcow2");

        return run;
    }
}
