using Vitrine.Content;
using Vitrine.Disks;
using Vitrine.Formats.Boot;
using Vitrine.Stores;

namespace Vitrine.Formats;

/// <summary>What content is, judged by looking at all of its structure: the same that decides whether an image is taken in.</summary>
public sealed record DiskReport
{
    public required DiskSafety Safety { get; init; }

    /// <summary>In bytes, of the content as it is.</summary>
    public required long Size { get; init; }

    /// <summary>Null where it is not safe to say.</summary>
    public FormatVerdict? Verdict { get; init; }

    /// <summary>The length of the guest's disk in bytes; null where there is none, or it is not safe to say.</summary>
    public long? DiskSize { get; init; }

    public BootEvidence? Boot { get; init; }

    /// <summary>What is not safe, as <c>qcow2-backing-file</c>; null where all is well.</summary>
    public string? Feature { get; init; }

    /// <summary>A sentence; null where all is well.</summary>
    public string? Reason { get; init; }

    /// <param name="content">Belongs to the caller still.</param>
    public static async Task<DiskReport> MakeAsync(ContentReader content, CancellationToken cancellationToken)
    {
        try
        {
            var verdict = await FormatInspector.InspectAsync(content, cancellationToken);
            if (content.Length == 0 || verdict.Wrapper is not null)
                return WithoutDisk(content.Length, verdict);

            var formats = new DiskFormats();
            if (!formats.CanOpen(verdict.Format))
                return WithoutTables(content.Length, verdict);

            await using var disk = await formats.OpenAsync(new Borrowed(content), verdict.Format, verdict.Container, cancellationToken);
            await disk.CheckAsync(cancellationToken);
            var boot = await BootEvidence.FindAsync(disk, cancellationToken);
            var isKnown = verdict.Format is not Images.DiskFormat.Raw || boot is { MbrCode: true } or { Gpt: true } or { EfiSystemPartition: true };
            return new DiskReport
            {
                Safety = isKnown ? DiskSafety.Safe : DiskSafety.Unknown,
                Size = content.Length,
                Verdict = verdict,
                DiskSize = disk.Length,
                Boot = boot,
                Reason = isKnown ? null : "Nothing in it says what it is: any bytes can be a raw disk.",
            };
        }
        catch (UnsafeContentException unsafeContent)
        {
            return new DiskReport { Safety = DiskSafety.Unsafe, Size = content.Length, Feature = unsafeContent.Feature, Reason = unsafeContent.Message };
        }
        catch (LibraryException failure) when (failure is NotAnImageException or FormatNotSupportedException)
        {
            return new DiskReport { Safety = DiskSafety.Unsafe, Size = content.Length, Feature = failure.Code, Reason = failure.Message };
        }
    }

    // The library takes it in, and gives it back as it came.
    private static DiskReport WithoutTables(long size, FormatVerdict verdict) => new()
    {
        Safety = DiskSafety.Unknown,
        Size = size,
        Verdict = verdict,
        DiskSize = verdict.VirtualSize,
        Reason = $"Its header is right, but no tables of {verdict.Format.Word()} are looked at. The library keeps such an image as it came, and finds no disk in it.",
    };

    private static DiskReport WithoutDisk(long size, FormatVerdict verdict) => new()
    {
        Safety = size == 0 ? DiskSafety.Unsafe : DiskSafety.Unknown,
        Size = size,
        Verdict = size == 0 ? null : verdict,
        Feature = size == 0 ? "empty-content" : null,
        Reason = size == 0
            ? "The file is empty: an image has at least one byte."
            : $"It is a {verdict.Wrapper!.Value.Word()} file. The library unpacks it and judges what is in it; unpack it to judge that here.",
    };

    /// <summary>Content that somebody else closes.</summary>
    private sealed class Borrowed(ContentReader content) : ContentReader
    {
        public override long Length => content.Length;

        public override FileStream? File => content.File;

        public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
            content.ReadAsync(offset, buffer, cancellationToken);

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

public enum DiskSafety
{
    /// <summary>Of a known format, whole, and without anything that reaches outside of it.</summary>
    Safe,

    /// <summary>It would be refused.</summary>
    Unsafe,

    /// <summary>Nothing speaks against it, and nothing says what it is.</summary>
    Unknown,
}
