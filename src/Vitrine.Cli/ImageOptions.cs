using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli;

/// <summary>What can be said of an image on the command line.</summary>
internal sealed class ImageOptions
{
    private static readonly string[] Words = ["true", "false"];

    private readonly Option<string> _name;
    private readonly Option<string> _kind = Text("--kind", "What it is: a disk with a system, a disk with data, or a medium to install from.", "system", "volume", "iso");
    private readonly Option<string> _description = Text("--description", "A text for people.");
    private readonly Option<string> _format = Text("--format", "What the bytes are; recognised where it is not said.", "raw", "qcow2", "vmdk", "vhd", "vhdx", "vdi", "iso", "ploop", "ami", "ari", "aki");
    private readonly Option<string> _container = Text("--container", "What wraps the bytes.", "bare", "ovf", "ova", "docker", "compressed", "ami", "ari", "aki");
    private readonly Option<string> _architecture = Text("--architecture", "The processor of its guests.", "x86_64", "aarch64", "mips64el", "loongarch64", "i686", "ppc64le", "riscv64", "s390x");
    private readonly Option<string> _platform = Text("--platform", "The family of its system.", "linux", "windows", "other");
    private readonly Option<string> _os = Text("--os", "The operating system, as debian12.");
    private readonly Option<bool?> _virtio = Flag("--virtio", "Whether its guests get VirtIO devices.");
    private readonly Option<string> _firmware = Text("--firmware", "How its guests boot.", "legacy", "uefi");
    private readonly Option<bool?> _csm = Flag("--csm", "Whether its guests get the compatibility support module of UEFI.");
    private readonly Option<bool?> _bareMetal = Flag("--bare-metal", "Whether it is offered for bare metal.");
    private readonly Option<int?> _minDisk = new("--min-disk") { Description = "The smallest disk of a guest, in GiB.", HelpName = "GIB" };
    private readonly Option<int?> _minMemory = new("--min-memory") { Description = "The least memory of a guest, in MiB.", HelpName = "MIB" };
    private readonly Option<string[]> _properties = new("--property") { Description = "A property of your own; may be given more than once.", HelpName = "NAME=VALUE" };
    private readonly Option<string[]> _tags = new("--tag") { Description = "A tag; may be given more than once.", HelpName = "TAG" };
    private readonly Option<bool?> _protected = Flag("--protected", "Whether it is kept from being deleted.");
    private readonly Option<bool?> _allZones = Flag("--all-zones", "Whether every zone gets a copy of it by itself, those that are added later too.");
    private readonly Option<string> _visibility = Text("--visibility", "Who sees it.", "private", "shared", "community", "public");

    private readonly bool _isNew;

    /// <param name="isNew">For an image that is made; else for one that is changed.</param>
    public ImageOptions(bool isNew)
    {
        _isNew = isNew;
        _name = new Option<string>("--name", "-n") { Description = "Its name.", HelpName = "NAME", Required = isNew };
    }

    public void AddTo(Command command)
    {
        Option[] options =
        [
            _name, _description, _format, _container, _architecture, _platform, _os, _virtio, _firmware, _csm, _bareMetal, _minDisk, _minMemory,
            _properties, _tags, _protected, _visibility, _allZones,
        ];
        foreach (var option in _isNew ? options.Append(_kind) : options)
            command.Add(option);
    }

    public ImageCreate Describe(Invocation run) => new()
    {
        Name = run.Get(_name),
        Kind = run.Get(_kind),
        Description = run.Get(_description),
        Format = run.Get(_format),
        Container = run.Get(_container),
        Architecture = run.Get(_architecture),
        Platform = run.Get(_platform),
        Os = run.Get(_os),
        Virtio = run.Get(_virtio),
        Firmware = run.Get(_firmware),
        Csm = run.Get(_csm),
        BareMetal = run.Get(_bareMetal),
        MinDisk = run.Get(_minDisk),
        MinMemory = run.Get(_minMemory),
        Properties = run.Has(_properties) ? run.Get(_properties)!.Select(Pair).ToDictionary(p => p.Key, p => p.Value, StringComparer.Ordinal) : null,
        Tags = run.Has(_tags) ? run.Get(_tags) : null,
        Protected = run.Get(_protected),
        Visibility = run.Get(_visibility),
        AllZones = run.Get(_allZones),
    };

    /// <param name="gone">Properties to take away.</param>
    /// <param name="cleared">Fields to clear, as they are spelt on the wire.</param>
    public ImageChange Change(Invocation run, IEnumerable<string> gone, IReadOnlyList<string> cleared)
    {
        var said = Describe(run);
        var properties = (said.Properties ?? new Dictionary<string, string>()).ToDictionary(p => p.Key, p => (string?)p.Value, StringComparer.Ordinal);
        foreach (var name in gone)
            properties[name] = null;

        return new ImageChange
        {
            Name = said.Name,
            Description = said.Description,
            Format = said.Format,
            Container = said.Container,
            Architecture = said.Architecture,
            Platform = said.Platform,
            Os = said.Os,
            Virtio = said.Virtio,
            Firmware = said.Firmware,
            Csm = said.Csm,
            BareMetal = said.BareMetal,
            MinDisk = said.MinDisk,
            MinMemory = said.MinMemory,
            Properties = properties.Count > 0 ? properties : null,
            Tags = said.Tags,
            Protected = said.Protected,
            Visibility = said.Visibility,
            AllZones = said.AllZones,
            Cleared = cleared,
        };
    }

    public static KeyValuePair<string, string> Pair(string text) => text.IndexOf('=', StringComparison.Ordinal) is > 0 and var equals
        ? new(text[..equals], text[(equals + 1)..])
        : throw new CliException(ExitCodes.Usage, $"'{text}' is not of the form NAME=VALUE.");

    private static Option<string> Text(string name, string description, params string[] words)
    {
        var option = new Option<string>(name) { Description = description, HelpName = words.Length > 0 ? string.Join('|', words) : "TEXT" };
        option.CompletionSources.Add(words);
        return option;
    }

    private static Option<bool?> Flag(string name, string description)
    {
        var option = new Option<bool?>(name) { Description = description, HelpName = string.Join('|', Words) };
        option.CompletionSources.Add(Words);
        return option;
    }
}
