using System.Buffers;
using Vitrine.Content;
using Vitrine.Disks;
using Vitrine.Formats;
using Vitrine.Images;

namespace Vitrine.FormatTests;

/// <summary>A disk made to harm, or damaged, and what is to come of it.</summary>
/// <param name="Feature">The word for what is wrong; <see cref="Nothing"/> for an image that is to be accepted.</param>
/// <param name="Bytes">The whole content.</param>
public sealed record HostileDisk(string Name, string Feature, Func<byte[]> Bytes)
{
    public const string Nothing = "";

    public override string ToString() => Name;
}

/// <summary>Does to a content all that can be done to a disk: open, check, list, read.</summary>
internal static class Handling
{
    private const int MostRead = 4 * 1024 * 1024;

    /// <returns>The word for what was refused; <see cref="HostileDisk.Nothing"/> where nothing was.</returns>
    public static async Task<string> HandleAsync(
        ReadOnlyMemory<byte> bytes, DiskFormat format, CancellationToken cancellationToken, ContainerFormat container = ContainerFormat.Bare)
    {
        try
        {
            await using var disk = await new DiskFormats().OpenAsync(new MemoryContent(bytes), format, container, cancellationToken);
            await disk.CheckAsync(cancellationToken);
            await UseAsync(disk, cancellationToken);
            return HostileDisk.Nothing;
        }
        catch (UnsafeContentException refusal)
        {
            return refusal.Feature;
        }
    }

    private static async Task UseAsync(Disk disk, CancellationToken cancellationToken)
    {
        var (position, count) = (0L, 0);
        await foreach (var extent in disk.ListExtentsAsync(0, disk.Length, cancellationToken))
        {
            Assert.Equal(position, extent.Start);
            Assert.True(extent.Length > 0);
            position = extent.End;
            if (++count == 10_000)
                break;
        }

        Assert.True(count == 10_000 || position == disk.Length);
        var rented = ArrayPool<byte>.Shared.Rent(300_000);
        try
        {
            var buffer = rented.AsMemory(0, (int)Math.Min(disk.Length, rented.Length));
            for (var at = 0L; at <= Math.Min(disk.Length, MostRead) - buffer.Length; at += buffer.Length)
                await disk.ReadAsync(at, buffer, cancellationToken);

            await disk.ReadAsync(disk.Length - buffer.Length, buffer, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
