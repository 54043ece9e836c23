using System.Buffers;
using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using Vitrine.Disks;
using Vitrine.Formats.Conversion;

namespace Vitrine.Formats.Vmdk;

/// <summary>A disk as streamOptimized VMDK, which is made from first byte to last, as its tables come after what they point to.</summary>
internal sealed class StreamOptimizedConversion(Disk disk, DiskIdentity identity) : DiskConversion
{
    public const string Variant = "streamOptimized";

    /// <summary>What VMware holds disks to: 62 TB, as it calls them.</summary>
    public const long MaxDiskLength = 62L << 40;

    private const int PieceLength = 8 * StreamOptimizedWriter.GrainLength;

    public override Task CopyToAsync(Stream output, CancellationToken cancellationToken) =>
        WriteAsync(output.WriteAsync, progress: null, cancellationToken);

    public override Task WriteFileAsync(SafeFileHandle file, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var position = 0L;
        return WriteAsync(Append, progress, cancellationToken);

        ValueTask Append(ReadOnlyMemory<byte> bytes, CancellationToken _)
        {
            RandomAccess.Write(file, bytes.Span, position);
            position += bytes.Length;
            return ValueTask.CompletedTask;
        }
    }

    public override ValueTask DisposeAsync() => disk.DisposeAsync();

    private async Task WriteAsync(AppendBytes append, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var writer = new StreamOptimizedWriter(append, disk.Length, identity);
        await writer.BeginAsync(cancellationToken);
        var walk = new DiskWalk(disk, PieceLength, StreamOptimizedWriter.GrainLength, DiskWalk.CompressingWorkers);
        await walk.RunAsync(() => new Compressor(walk, writer), progress, cancellationToken);
        await writer.CompleteAsync(cancellationToken);
    }

    private sealed class Compressor(DiskWalk walk, StreamOptimizedWriter writer) : PieceWorker(walk)
    {
        private const int Most = PieceLength / StreamOptimizedWriter.GrainLength;

        private readonly byte[] _output = ArrayPool<byte>.Shared.Rent(Most * StreamOptimizedWriter.MaxStoredGrain);

        // Of each grain: where it begins in the output; negative where it is all zeros.
        private readonly int[] _starts = new int[Most];
        private int _length;

        public override void Prepare()
        {
            _length = 0;
            for (var i = 0; i < Count; i++)
            {
                var grain = Bytes.Slice(i * StreamOptimizedWriter.GrainLength, StreamOptimizedWriter.GrainLength).Span;
                var isZero = SparseFile.IsZero(grain);
                _starts[i] = isZero ? -1 : _length;
                if (!isZero)
                    _length += StoreGrain(Start / StreamOptimizedWriter.GrainLength + i, grain, _output.AsMemory(_length));
            }
        }

        public override async ValueTask TakeTurnAsync(CancellationToken cancellationToken)
        {
            if (_length > 0)
                await writer.AppendAsync(Start / StreamOptimizedWriter.GrainLength, _starts.AsMemory(0, Count), _output.AsMemory(0, _length), cancellationToken);
        }

        protected override void Dispose(bool isDisposing)
        {
            ArrayPool<byte>.Shared.Return(_output);
            base.Dispose(isDisposing);
        }

        private int Count => Bytes.Length / StreamOptimizedWriter.GrainLength;

        /// <summary>A grain's marker: its first sector (8), how many bytes follow (4), and these, up to the end of a sector.</summary>
        private static int StoreGrain(long number, ReadOnlySpan<byte> grain, Memory<byte> output)
        {
            const int MarkerLength = 12;
            var room = output[..StreamOptimizedWriter.MaxStoredGrain];
            var length = Deflation.ZLib(grain, room[MarkerLength..]);
            BinaryPrimitives.WriteInt64LittleEndian(room.Span, number * StreamOptimizedWriter.GrainSectors);
            BinaryPrimitives.WriteInt32LittleEndian(room.Span[8..], length);

            var end = MarkerLength + length;
            var stored = StreamOptimizedWriter.RoundUp(end);
            room.Span[end..stored].Clear();
            return stored;
        }
    }
}
