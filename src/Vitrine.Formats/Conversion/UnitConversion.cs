using Microsoft.Win32.SafeHandles;
using Vitrine.Disks;
using Vitrine.Stores;

namespace Vitrine.Formats.Conversion;

/// <summary>A disk in a format that keeps some of its units. The file that is written in one pass has the bytes of the content that is laid out first.</summary>
internal sealed class UnitConversion(Disk disk, UnitFormat format) : DiskConversion
{
    private LaidOutContent? _content;

    public override async Task<ContentReader?> LayOutAsync(CancellationToken cancellationToken) => await LayOutOnceAsync(cancellationToken);

    public override async Task CopyToAsync(Stream output, CancellationToken cancellationToken)
    {
        var content = await LayOutOnceAsync(cancellationToken);
        await content.CopyToAsync(output, cancellationToken);
    }

    public override async Task WriteFileAsync(SafeFileHandle file, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var map = await WalkAsync((walk, map) => new Writer(walk, format, map, file), progress, cancellationToken);
        foreach (var region in format.LayRegions(map))
            SparseFile.Write(file, region);
        RandomAccess.SetLength(file, new UnitLayout(format, map).Length);
    }

    public override ValueTask DisposeAsync() => disk.DisposeAsync();

    private async Task<LaidOutContent> LayOutOnceAsync(CancellationToken cancellationToken) =>
        _content ??= new LaidOutContent(
            disk, new UnitLayout(format, await WalkAsync((walk, map) => new Finder(walk, format, map), progress: null, cancellationToken)));

    private async Task<UnitMap> WalkAsync(
        Func<DiskWalk, UnitMap, PieceWorker> begin, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var map = new UnitMap();
        var walk = new DiskWalk(disk, Math.Max(DiskWalk.CopyingLength, format.UnitLength), format.UnitLength, DiskWalk.CopyingWorkers);
        await walk.RunAsync(() => begin(walk, map), progress, cancellationToken);
        return map;
    }

    /// <summary>Finds the units that are not all zeros.</summary>
    private class Finder(DiskWalk walk, UnitFormat format, UnitMap map) : PieceWorker(walk)
    {
        /// <summary>Units of the piece that are to be kept, by their number in it.</summary>
        protected List<int> Kept { get; } = [];

        /// <summary>The number of the first of them among all that are kept.</summary>
        protected long First { get; private set; }

        protected ReadOnlySpan<byte> UnitBytes(int unit, int count) =>
            Bytes.Span.Slice(unit * format.UnitLength, count * format.UnitLength);

        public override void Prepare()
        {
            Kept.Clear();
            for (var unit = 0; unit * format.UnitLength < Bytes.Length; unit++)
            {
                if (!SparseFile.IsZero(UnitBytes(unit, 1)))
                    Kept.Add(unit);
            }
        }

        public override ValueTask TakeTurnAsync(CancellationToken cancellationToken)
        {
            First = map.Count;
            foreach (var unit in Kept)
                map.Add(Start / format.UnitLength + unit);

            return ValueTask.CompletedTask;
        }
    }

    /// <summary>Writes them too.</summary>
    private sealed class Writer(DiskWalk walk, UnitFormat format, UnitMap map, SafeFileHandle file) : Finder(walk, format, map)
    {
        private readonly UnitFormat _format = format;

        public override void Finish()
        {
            for (var i = 0; i < Kept.Count;)
            {
                var count = CountTogether(i);
                var offset = _format.PayloadStart + (First + i) * _format.Pitch;
                SparseFile.Write(file, _format.Prefix.Span, offset);
                SparseFile.Write(file, UnitBytes(Kept[i], count), offset + _format.Prefix.Length);
                i += count;
            }
        }

        private int CountTogether(int first)
        {
            var count = 1;
            while (_format.Prefix.Length == 0 && first + count < Kept.Count && Kept[first + count] == Kept[first] + count)
                count++;

            return count;
        }
    }
}
