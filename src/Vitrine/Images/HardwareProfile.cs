namespace Vitrine.Images;

/// <summary>What a guest made from the image needs or is given.</summary>
public sealed record HardwareProfile
{
    /// <summary>Null where nobody said it.</summary>
    public CpuArchitecture? Architecture { get; init; }

    public Platform? Platform { get; init; }

    /// <summary>An entry of <see cref="GuestOs"/>, as <c>debian12</c>; null where nobody said it.</summary>
    public string? Os { get; init; }

    /// <summary>Disks and network cards are VirtIO devices; off, they are emulated ones for old guests.</summary>
    public bool VirtIo { get; init; } = true;

    /// <summary>Null leaves the choice to <see cref="ImageRules.FirmwareOf"/>.</summary>
    public Firmware? Firmware { get; init; }

    /// <summary>The compatibility support module, for systems with no or partial UEFI support.</summary>
    public bool Csm { get; init; }

    /// <summary>Offered for elastic bare metal.</summary>
    public bool BareMetal { get; init; }

    /// <summary>The smallest disk of a guest, in GiB.</summary>
    public int MinDisk { get; init; }

    /// <summary>The least memory of a guest, in MiB.</summary>
    public int MinMemory { get; init; }
}

/// <summary>Names as the hypervisors spell them, in <see cref="CpuArchitectures"/>.</summary>
public enum CpuArchitecture
{
    X86_64,
    Aarch64,
    Mips64El,
    LoongArch64,
    I686,
    Ppc64Le,
    RiscV64,
    S390X,
}

public static class CpuArchitectures
{
    /// <summary>The usual spelling, which is the name in lower case: <c>x86_64</c>, <c>mips64el</c>.</summary>
    public static string Name(this CpuArchitecture architecture) => architecture.ToString().ToLowerInvariant();

    /// <summary>Reads the usual spelling; <c>mips64</c> is taken for <c>mips64el</c>.</summary>
    /// <exception cref="InvalidFieldException">There is no such architecture here.</exception>
    public static CpuArchitecture Parse(string text, string field = "architecture") => text == "mips64"
        ? CpuArchitecture.Mips64El
        : EnumWords.Parse<CpuArchitecture>(text, field);
}

public enum Platform
{
    Linux,
    Windows,
    Other,
}

public enum Firmware
{
    /// <summary>The BIOS of a personal computer; works with every operating system for x86.</summary>
    Legacy,
    Uefi,
}
