using System.Buffers;
using Microsoft.Win32.SafeHandles;
using Vitrine.Disks;
using Vitrine.Formats.Conversion;
using Vitrine.Stores;

namespace Vitrine.Formats.Qcow2;

/// <summary>
/// A disk as qcow2 with compressed clusters. Its header says where tables are whose place is known at the end only, so that for
/// all but a file it is put together in a temporary one first, which has no name and goes when the conversion does.
/// </summary>
internal sealed class CompressedQcow2Conversion(Disk disk, string temporaryDirectory) : DiskConversion
{
    private const int PieceLength = 8 * Qcow2Clusters.Length;

    private FileContent? _content;

    public override async Task<ContentReader?> LayOutAsync(CancellationToken cancellationToken) => await SpoolAsync(cancellationToken);

    public override async Task CopyToAsync(Stream output, CancellationToken cancellationToken)
    {
        var content = await SpoolAsync(cancellationToken);
        await content.CopyToAsync(output, cancellationToken);
    }

    public override async Task WriteFileAsync(SafeFileHandle file, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var image = new CompressedQcow2File(file, (disk.Length + 511) / 512 * 512);
        var walk = new DiskWalk(disk, PieceLength, Qcow2Clusters.Length, DiskWalk.CompressingWorkers);
        await walk.RunAsync(() => new Compressor(walk, image, file), progress, cancellationToken);
        image.Complete();
    }

    public override async ValueTask DisposeAsync()
    {
        if (_content is not null)
            await _content.DisposeAsync();
        await disk.DisposeAsync();
    }

    private async Task<FileContent> SpoolAsync(CancellationToken cancellationToken)
    {
        if (_content is not null)
            return _content;

        var path = Path.Combine(temporaryDirectory, $"vitrine-{Guid.NewGuid():N}");
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous);
        try
        {
            File.Delete(path);
            await WriteFileAsync(file.SafeFileHandle, progress: null, cancellationToken);
            return _content = new FileContent(file);
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    private sealed class Compressor(DiskWalk walk, CompressedQcow2File image, SafeFileHandle file) : PieceWorker(walk)
    {
        private const int Most = PieceLength / Qcow2Clusters.Length;

        private readonly byte[] _output = ArrayPool<byte>.Shared.Rent(PieceLength);

        /// <summary>Of each cluster: how many bytes it took, 0 where it is all zeros, negative where it stays as it is.</summary>
        private readonly int[] _lengths = new int[Most];
        private readonly long[] _offsets = new long[Most];

        public override void Prepare()
        {
            for (var i = 0; i < Count; i++)
                _lengths[i] = SparseFile.IsZero(Cluster(i).Span) ? 0 : Deflation.Deflate(Cluster(i).Span, Output(i)[..^1]);
        }

        public override ValueTask TakeTurnAsync(CancellationToken cancellationToken)
        {
            var first = Start / Qcow2Clusters.Length;
            for (var i = 0; i < Count; i++)
            {
                if (_lengths[i] != 0)
                    _offsets[i] = _lengths[i] > 0 ? image.PlaceCompressed(first + i, _lengths[i]) : image.PlacePlain(first + i);
            }

            return ValueTask.CompletedTask;
        }

        public override void Finish()
        {
            for (var i = 0; i < Count; i++)
            {
                if (_lengths[i] != 0)
                    RandomAccess.Write(file, _lengths[i] > 0 ? Output(i).Span[.._lengths[i]] : Cluster(i).Span, _offsets[i]);
            }
        }

        protected override void Dispose(bool isDisposing)
        {
            ArrayPool<byte>.Shared.Return(_output);
            base.Dispose(isDisposing);
        }

        private int Count => Bytes.Length / Qcow2Clusters.Length;

        private ReadOnlyMemory<byte> Cluster(int number) => Bytes.Slice(number * Qcow2Clusters.Length, Qcow2Clusters.Length);

        private Memory<byte> Output(int number) => _output.AsMemory(number * Qcow2Clusters.Length, Qcow2Clusters.Length);
    }
}
