using Vitrine.Disks;
using Vitrine.Images;

namespace Vitrine.FormatTests.Conversion;

/// <summary>One cell of the matrix: a disk, and what it is converted to.</summary>
public sealed record ConversionCase(string Target, long Length, string Pattern)
{
    private const int ClusterLength = 64 * 1024;

    public static readonly string[] Targets = ["raw", "qcow2", "qcow2-compressed", "vmdk", "vhd", "vhd-fixed", "vhdx"];

    private static readonly string[] Patterns = ["zero", "data", "text", "alternating", "last byte", "explicit zeros"];
    private static readonly int[] Lengths = [1, 511, 65_535, 65_536, 65_537, 2_097_153];
    private const int UsualLength = 5 * 1024 * 1024 + 77;

    public static TheoryData<ConversionCase> All =>
    [
        .. Targets.SelectMany(t => Patterns.Select(p => new ConversionCase(t, UsualLength, p))),
        .. Targets.SelectMany(t => Lengths.SelectMany(l => new[] { "alternating", "last byte" }.Select(p => new ConversionCase(t, l, p)))),
    ];

    public static TheoryData<string> AllTargets => [.. Targets];

    public ConversionTarget Conversion => For(Target);

    /// <summary>Only raw content can hold part of a sector.</summary>
    public long LengthInTarget => Conversion.Format == DiskFormat.Raw ? Length : (Length + 511) / 512 * 512;

    public static ConversionTarget For(string target) => target switch
    {
        "raw" => new(DiskFormat.Raw),
        "qcow2" => new(DiskFormat.Qcow2),
        "qcow2-compressed" => new(DiskFormat.Qcow2, Compress: true),
        "vmdk" => new(DiskFormat.Vmdk),
        "vhd" => new(DiskFormat.Vhd),
        "vhd-fixed" => new(DiskFormat.Vhd, "fixed"),
        "vhdx" => new(DiskFormat.Vhdx),
        _ => throw new ArgumentOutOfRangeException(nameof(target)),
    };

    public byte[] MakeDisk()
    {
        var disk = new byte[Length];
        var random = new Random(7);
        switch (Pattern)
        {
            case "data":
                random.NextBytes(disk);
                break;
            case "text":
                for (var i = 0; i < disk.Length; i++)
                    disk[i] = (byte)"the same words again and again, with a number "[i % 46];
                break;
            case "alternating":
                // Neither the data's ends nor the zeros' are at clusters; some data can be compressed and some cannot.
                for (var start = 0; start < disk.Length; start += 3 * ClusterLength)
                {
                    var part = disk.AsSpan(start, Math.Min(ClusterLength + 1000, disk.Length - start));
                    random.NextBytes(part);
                    if (start / ClusterLength % 2 == 1)
                        part[..(part.Length / 2)].Fill(0x55);
                }

                break;
            case "last byte":
                disk[^1] = 1;
                break;
        }

        return disk;
    }

    /// <summary>Writes the disk with holes where it has zeros, unless these are to be there as such.</summary>
    public async Task WriteDiskAsync(string path, CancellationToken cancellationToken)
    {
        var disk = MakeDisk();
        await using var file = File.Create(path);
        for (var start = 0; start < disk.Length; start += 4096)
        {
            var part = disk.AsMemory(start, Math.Min(4096, disk.Length - start));
            if (Pattern == "explicit zeros" || part.Span.ContainsAnyExcept((byte)0))
            {
                file.Position = start;
                await file.WriteAsync(part, cancellationToken);
            }
        }

        file.SetLength(disk.Length);
    }

    public override string ToString() => $"{Target}, {Length}, {Pattern}";
}
