using Vitrine.Disks;
using Vitrine.Stores;

namespace Vitrine.Formats.Vhdx;

/// <summary>Opens VHDX. Where it was not closed, what is read is what its log makes of it; the content stays as it is.</summary>
internal static class VhdxDisk
{
    public static async Task<Disk> OpenAsync(ContentReader content, CancellationToken cancellationToken)
    {
        var start = new byte[VhdxLayout.FileSignature.Length];
        await content.ReadExactlyAsync("VHDX", 0, start, cancellationToken);
        if (!start.AsSpan().SequenceEqual(VhdxLayout.FileSignature))
            throw Refusal.Mistaken("VHDX");

        var pieces = new PieceFeed();
        var reader = new VhdxHeaderReader(pieces);
        await pieces.FetchAsync(content, "VHDX", cancellationToken);
        if (reader.HasLog)
        {
            content = await VhdxLog.ReplayAsync(content, reader.Header, cancellationToken);
            reader.ContinueAfterLog();
            await pieces.FetchAsync(content, "VHDX", cancellationToken);
        }

        return new MappedDisk(content, new VhdxMap(content, reader.Finish(content.Length)));
    }
}
