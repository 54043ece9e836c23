using System.Collections.Frozen;

namespace Vitrine.Images;

/// <summary>An operating system that images can be said to hold.</summary>
/// <param name="Id">As <c>debian12</c>: lower-case letters, digits and dots.</param>
/// <param name="Uefi">How far it boots under UEFI.</param>
public sealed record GuestOs(string Id, string Title, Platform Platform, UefiSupport Uefi)
{
    private static readonly FrozenDictionary<string, GuestOs> ById = new GuestOs[]
    {
        new("almalinux8", "AlmaLinux 8", Platform.Linux, UefiSupport.Full),
        new("almalinux9", "AlmaLinux 9", Platform.Linux, UefiSupport.Full),
        new("alpine", "Alpine Linux", Platform.Linux, UefiSupport.Full),
        new("centos5", "CentOS 5", Platform.Linux, UefiSupport.None),
        new("centos6", "CentOS 6", Platform.Linux, UefiSupport.Partial),
        new("centos7.0", "CentOS 7.0", Platform.Linux, UefiSupport.Partial),
        new("centos7.1", "CentOS 7.1", Platform.Linux, UefiSupport.Partial),
        new("centos7.2", "CentOS 7.2", Platform.Linux, UefiSupport.Full),
        new("centos7.3", "CentOS 7.3", Platform.Linux, UefiSupport.Full),
        new("centos7.4", "CentOS 7.4 and later", Platform.Linux, UefiSupport.Full),
        new("centos8", "CentOS 8", Platform.Linux, UefiSupport.Full),
        new("centosstream9", "CentOS Stream 9", Platform.Linux, UefiSupport.Full),
        new("debian10", "Debian 10", Platform.Linux, UefiSupport.Full),
        new("debian11", "Debian 11", Platform.Linux, UefiSupport.Full),
        new("debian12", "Debian 12", Platform.Linux, UefiSupport.Full),
        new("debian13", "Debian 13", Platform.Linux, UefiSupport.Full),
        new("fedora", "Fedora", Platform.Linux, UefiSupport.Full),
        new("flatcar", "Flatcar Container Linux", Platform.Linux, UefiSupport.Full),
        new("freebsd13", "FreeBSD 13", Platform.Other, UefiSupport.Full),
        new("freebsd14", "FreeBSD 14", Platform.Other, UefiSupport.Full),
        new("kylin10", "Kylin 10", Platform.Linux, UefiSupport.Full),
        new("linux", "Linux, any other", Platform.Linux, UefiSupport.Full),
        new("openeuler22.03", "openEuler 22.03", Platform.Linux, UefiSupport.Full),
        new("openeuler24.03", "openEuler 24.03", Platform.Linux, UefiSupport.Full),
        new("opensuse15", "openSUSE Leap 15", Platform.Linux, UefiSupport.Full),
        new("other", "Any other system", Platform.Other, UefiSupport.Full),
        new("rhel5", "Red Hat Enterprise Linux 5", Platform.Linux, UefiSupport.None),
        new("rhel6", "Red Hat Enterprise Linux 6", Platform.Linux, UefiSupport.Partial),
        new("rhel7", "Red Hat Enterprise Linux 7", Platform.Linux, UefiSupport.Full),
        new("rhel8", "Red Hat Enterprise Linux 8", Platform.Linux, UefiSupport.Full),
        new("rhel9", "Red Hat Enterprise Linux 9", Platform.Linux, UefiSupport.Full),
        new("rocky8", "Rocky Linux 8", Platform.Linux, UefiSupport.Full),
        new("rocky9", "Rocky Linux 9", Platform.Linux, UefiSupport.Full),
        new("sles12", "SUSE Linux Enterprise Server 12", Platform.Linux, UefiSupport.Full),
        new("sles15", "SUSE Linux Enterprise Server 15", Platform.Linux, UefiSupport.Full),
        new("ubuntu20.04", "Ubuntu 20.04", Platform.Linux, UefiSupport.Full),
        new("ubuntu22.04", "Ubuntu 22.04", Platform.Linux, UefiSupport.Full),
        new("ubuntu24.04", "Ubuntu 24.04", Platform.Linux, UefiSupport.Full),
        new("windowsxp", "Windows XP", Platform.Windows, UefiSupport.None),
        new("windows2003", "Windows Server 2003", Platform.Windows, UefiSupport.None),
        new("windows7", "Windows 7", Platform.Windows, UefiSupport.NeedsCsm),
        new("windows2008r2", "Windows Server 2008 R2", Platform.Windows, UefiSupport.NeedsCsm),
        new("windows8", "Windows 8", Platform.Windows, UefiSupport.Full),
        new("windows10", "Windows 10", Platform.Windows, UefiSupport.Full),
        new("windows11", "Windows 11", Platform.Windows, UefiSupport.Full),
        new("windows2012", "Windows Server 2012", Platform.Windows, UefiSupport.Full),
        new("windows2012r2", "Windows Server 2012 R2", Platform.Windows, UefiSupport.Full),
        new("windows2016", "Windows Server 2016", Platform.Windows, UefiSupport.Full),
        new("windows2019", "Windows Server 2019", Platform.Windows, UefiSupport.Full),
        new("windows2022", "Windows Server 2022", Platform.Windows, UefiSupport.Full),
        new("windows2025", "Windows Server 2025", Platform.Windows, UefiSupport.Full),
    }.ToFrozenDictionary(os => os.Id, StringComparer.Ordinal);

    public static IEnumerable<GuestOs> All => ById.Values.OrderBy(os => os.Id, StringComparer.Ordinal);

    public static GuestOs? Find(string? id) => id is null ? null : ById.GetValueOrDefault(id);
}

public enum UefiSupport
{
    None,

    /// <summary>Some releases or set-ups boot.</summary>
    Partial,

    /// <summary>Boots only with the compatibility support module.</summary>
    NeedsCsm,
    Full,
}
