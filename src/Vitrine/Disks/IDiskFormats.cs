using Vitrine.Images;
using Vitrine.Stores;

namespace Vitrine.Disks;

/// <summary>Finds the guest's disk in content, and makes content of a disk. No external program takes part.</summary>
public interface IDiskFormats
{
    /// <summary>Whether there is a guest's disk in content of that format.</summary>
    bool CanOpen(DiskFormat format);

    /// <summary>Opens content as the disk in it.</summary>
    /// <param name="content">Belongs to the disk from now on; it is closed too where this fails.</param>
    /// <param name="format">As the inspection judged it. Nothing is guessed.</param>
    /// <exception cref="Content.UnsafeContentException">It is not of that format, or not safe.</exception>
    /// <exception cref="FormatNotSupportedException">There is no guest's disk in content of that format.</exception>
    Task<Disk> OpenAsync(ContentReader content, DiskFormat format, CancellationToken cancellationToken);

    /// <inheritdoc cref="OpenAsync(ContentReader, DiskFormat, CancellationToken)"/>
    /// <param name="container">What wraps the disk, as the inspection judged it too.</param>
    Task<Disk> OpenAsync(ContentReader content, DiskFormat format, ContainerFormat container, CancellationToken cancellationToken);

    /// <summary>Looks what on a disk speaks for its being started, and by which firmware.</summary>
    /// <exception cref="Content.UnsafeContentException">The disk cannot be read.</exception>
    Task<BootModes> FindBootModesAsync(Disk disk, CancellationToken cancellationToken);

    /// <summary>Lays a disk out as content of a format. Equal disks and equal targets give equal bytes.</summary>
    /// <param name="disk">Belongs to the conversion from now on; it is closed too where this fails.</param>
    /// <exception cref="FormatNotSupportedException">That format is not written, or cannot hold a disk of this length.</exception>
    Task<DiskConversion> ConvertAsync(Disk disk, ConversionTarget target, CancellationToken cancellationToken);
}

/// <summary>By what firmware a disk was made to be started; by neither where nothing on it speaks for any.</summary>
public sealed record BootModes(bool Bios, bool Uefi)
{
    /// <summary>What speaks against starting the disk by a firmware; null where nothing does.</summary>
    public string? WarningFor(Firmware firmware) => (firmware, Bios, Uefi) switch
    {
        (Firmware.Uefi, true, false) => "The image is to be started by UEFI, but its disk was made for a BIOS: guests may not start.",
        (Firmware.Legacy, false, true) => "The image is to be started by a BIOS, but its disk was made for UEFI: guests may not start.",
        _ => null,
    };
}

/// <param name="Format">What the bytes are to be.</param>
/// <param name="Variant">A kind of that format, as <c>fixed</c> of VHD; null for the usual one.</param>
/// <param name="Compress">Whether its parts are to be compressed, where the format can.</param>
public sealed record ConversionTarget(DiskFormat Format, string? Variant = null, bool Compress = false);

/// <summary>A disk as content of another format, made while it is read.</summary>
public abstract class DiskConversion : IAsyncDisposable
{
    /// <summary>Finds out where everything will be, so that the content can be read at any offset, and its length is known.</summary>
    /// <remarks>The first time it may take as long as to read the whole disk; <see cref="WriteFileAsync"/> does without.</remarks>
    /// <returns>The content, which stays the conversion's; null where it can be made from first byte to last only.</returns>
    public virtual Task<ContentReader?> LayOutAsync(CancellationToken cancellationToken) => Task.FromResult<ContentReader?>(null);

    /// <summary>Writes the content from its first byte to its last.</summary>
    public abstract Task CopyToAsync(Stream output, CancellationToken cancellationToken);

    /// <summary>Writes the content to an empty file as fast as it goes, leaving holes where it has zeros.</summary>
    /// <param name="progress">Told how many bytes of the disk are done.</param>
    public abstract Task WriteFileAsync(Microsoft.Win32.SafeHandles.SafeFileHandle file, IProgress<long>? progress, CancellationToken cancellationToken);

    /// <summary>Closes the disk too.</summary>
    public abstract ValueTask DisposeAsync();
}

/// <summary>The format cannot be used for what was asked.</summary>
public sealed class FormatNotSupportedException(string reason) : LibraryException(reason)
{
    public override string Code => "format-not-supported";

    public override string Remedy => "Ask for one of raw, qcow2, vmdk, vhd and vhdx.";
}
