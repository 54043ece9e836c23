namespace Vitrine.Client;

/// <summary>A file that is being sent, and the proof that the library has exactly it.</summary>
internal sealed class PushedFile(FileStream file) : IDisposable
{
    private readonly DateTime _lastWrite = File.GetLastWriteTimeUtc(file.SafeFileHandle);

    public Microsoft.Win32.SafeHandles.SafeFileHandle Handle => file.SafeFileHandle;

    public long Length { get; } = file.Length;

    public FileDigest Digest { get; } = new();

    /// <summary>Reads what has not been hashed on its way, up to a length.</summary>
    public Task CatchUpAsync(long length, CancellationToken cancellationToken) => Digest.CatchUpAsync(Handle, Math.Min(length, Length), cancellationToken);

    /// <summary>Holds what the library received against the file.</summary>
    public async Task<ImageRecord> ConfirmAsync(LibraryClient client, string transfer, Patience patience, CancellationToken cancellationToken)
    {
        await CatchUpAsync(Length, cancellationToken);
        if (RandomAccess.GetLength(Handle) != Length || File.GetLastWriteTimeUtc(Handle) != _lastWrite)
            throw FileDigest.FileChanged();

        var sent = Digest.Finish();
        var state = await patience.TryAsync(() => client.GetTransferAsync(transfer, cancellationToken), cancellationToken);
        var image = await patience.TryAsync(() => client.GetImageAsync(state.Image, cancellationToken), cancellationToken);
        var received = image.SourceFile?.Sha256 ?? image.Sha256;
        return received == sent
            ? image
            : throw new LibraryClientException(
                ClientCodes.ChecksumMismatch, $"The library received sha256:{received}, but the file is sha256:{sent}.",
                "Do not use the image: delete it and push the file again.");
    }

    public void Dispose() => Digest.Dispose();
}
