using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Vitrine.Images;
using Vitrine.Nodes;
using Vitrine.Server.Tls;
using Vitrine.Stores;
using Vitrine.Stores.Chunked;
using Vitrine.Stores.Objects.S3;
using Vitrine.Stores.Rbd;

namespace Vitrine.Server;

/// <summary>The section <c>Server</c>, and the variables that scripts set: VITRINE_DATA, VITRINE_PORT, VITRINE_ADMIN_PASSWORD.</summary>
public sealed class ServerOptions
{
    /// <summary>The directory of this node: its catalogue, keys and, unless configured otherwise, its store. Default: <c>data</c>.</summary>
    [Required]
    public string Data { get; set; } = "data";

    /// <summary>
    /// Where the API listens: one address, or several with semicolons between. Default: <c>http://127.0.0.1:8080</c>. Other machines
    /// reach it by https alone.
    /// </summary>
    [Required]
    public string Listen { get; set; } = "http://127.0.0.1:8080";

    /// <summary>By what certificate https addresses are served.</summary>
    public TlsOptions Tls { get; set; } = new();

    /// <summary>The address that clients are told, where it is another than they used, as behind a proxy. Default: theirs.</summary>
    [Url]
    public string? PublicUrl { get; set; }

    /// <summary>
    /// Lets tokens and passwords pass unencrypted to other machines. Only for a network that nobody else is on. Default: no.
    /// </summary>
    public bool AllowPlainHttp { get; set; }

    /// <summary>The name of this node among the others; stays over restarts. Default: the machine's name.</summary>
    [Required, RegularExpression("[A-Za-z0-9][A-Za-z0-9._-]{0,62}")]
    public string NodeName { get; set; } = Environment.MachineName;

    /// <summary>The zone that this node and its stores belong to. Default: <c>default</c>.</summary>
    [Required, RegularExpression("[a-z0-9][a-z0-9_-]{0,62}")]
    public string Zone { get; set; } = "default";

    /// <summary>
    /// What this node is there for: <c>api</c>, which answers clients, <c>transfer</c>, which brings content in, or both, parted by a comma.
    /// Default: both. On the command line <c>--roles</c>.
    /// </summary>
    [Required]
    public string Roles { get; set; } = "api,transfer";

    /// <summary>
    /// Directories of this node below which administrators may add stores while it runs, and where their keyrings may lie. Links that lead
    /// out of them are not followed. Empty: only stores in buckets are added, and those in Ceph that its own configuration file reaches.
    /// </summary>
    public IList<string> StorePaths { get; } = [];

    /// <summary>How long what is under way may take to come to a sound end once the server is told to stop. Default: 30 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <exception cref="OptionsValidationException">There is a role that is none.</exception>
    internal IReadOnlyList<NodeRole> ReadRoles()
    {
        var roles = new SortedSet<NodeRole>();
        foreach (var word in Roles.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!EnumWords.TryParse<NodeRole>(word, out var role))
                throw new OptionsValidationException("Server", typeof(ServerOptions), [$"Server:Roles is '{Roles}': write api, transfer, or both with a comma between."]);
            roles.Add(role);
        }

        return [.. roles];
    }

    public string PathOf(string name) => Path.Combine(Path.GetFullPath(Data), name);

    /// <summary>The addresses of <see cref="Listen"/>, once there is no <see cref="Faults"/>.</summary>
    internal IEnumerable<Uri> Addresses => ListenWords.Select(word => new Uri(word));

    internal bool HasHttps => Addresses.Any(a => a.Scheme == Uri.UriSchemeHttps);

    /// <summary>The address that other nodes and people are told where nobody says another: one that they can reach, if there is one.</summary>
    internal string Address => PublicUrl ?? (Addresses.FirstOrDefault(a => !a.IsLoopback) ?? Addresses.First()).ToString().TrimEnd('/');

    private string[] ListenWords => Listen.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>Says what is wrong beyond the single values.</summary>
    internal IEnumerable<string> Faults()
    {
        if (ListenWords.Length == 0)
            yield return "Server:Listen is empty.";
        foreach (var word in ListenWords)
        {
            if (!Uri.TryCreate(word, UriKind.Absolute, out var address) || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps))
                yield return $"Server:Listen: '{word}' is no http or https address.";
            else if (address.Scheme == Uri.UriSchemeHttp && !address.IsLoopback && !AllowPlainHttp)
                yield return $"Server:Listen: by {word} tokens would pass unencrypted over the network. Listen by https, or set Server:AllowPlainHttp.";
        }

        foreach (var path in StorePaths)
        {
            if (!path.StartsWith('/'))
                yield return $"Server:StorePaths: '{path}' must begin with a slash.";
        }

        foreach (var fault in Tls.Validate(new ValidationContext(Tls)))
            yield return $"Server:Tls: {fault.ErrorMessage}";
    }
}

[OptionsValidator]
internal sealed partial class ServerOptionsValidator : IValidateOptions<ServerOptions>;

/// <summary>The section <c>Stores:NAME</c>.</summary>
public sealed class StoreOptions : IValidatableObject
{
    private const string AnyFormat = "any";

    /// <summary>The backends.</summary>
    internal static readonly IReadOnlyList<string> Kinds = ["directory", "chunked", "s3", "rbd"];

    /// <summary>
    /// The backend. <c>directory</c> keeps whole files on a local disk or a mount; <c>chunked</c> keeps equal blocks once there,
    /// compressed; <c>s3</c> does the same in a bucket; <c>rbd</c> keeps whole images in a pool of Ceph, for hosts to clone.
    /// </summary>
    [Required, AllowedValues("directory", "chunked", "s3", "rbd")]
    public string Kind { get; set; } = "directory";

    /// <summary>The directory of the store. It must exist: a mount that is missing must not be taken for an empty store.</summary>
    public string Path { get; set; } = "";

    public string Description { get; set; } = "";

    /// <summary>The zone that it is in. Default: the node's own.</summary>
    [RegularExpression("[a-z0-9][a-z0-9_-]{0,62}")]
    public string? Zone { get; set; }

    /// <summary>
    /// The format that the store keeps a disk in, by the format that it arrives in, or by <c>any</c> for all that are not named.
    /// Default: nothing is converted, and downloads give the very file that came.
    /// </summary>
    public IDictionary<string, string> Convert { get; init; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>How a store that keeps equal blocks once works; of no meaning to the others.</summary>
    public ChunkedStoreOptions Chunked { get; set; } = new();

    /// <summary>Where the bucket is; of no meaning to stores in directories.</summary>
    public S3StoreOptions? S3 { get; set; }

    /// <summary>Where the pool is; of no meaning to stores of other kinds.</summary>
    public RbdStoreOptions? Rbd { get; set; }

    /// <summary>Receives content when nobody names a store. Exactly one store must say so, if there are several.</summary>
    public bool Default { get; set; }

    /// <summary>Whether the store lies in a directory, and not on servers that a section of its own names.</summary>
    internal bool IsInDirectory => Kind is not ("s3" or "rbd");

    internal ConversionPolicy Conversion => new(ConversionPolicy.Sources
        .Select(format => (Format: format, Rule: RuleFor(format)))
        .Where(known => known.Rule is not null)
        .ToDictionary(known => known.Format, known => EnumWords.Parse<DiskFormat>(known.Rule!, nameof(Convert))));

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) => ConversionFaults().Concat(SectionFaults(Chunked, nameof(Chunked))).Concat(Kind switch
    {
        "s3" => SectionFaults(S3, nameof(S3)),
        "rbd" => SectionFaults(Rbd, nameof(Rbd)),
        _ => Path.Length > 0 ? [] : [new ValidationResult("The Path field is required.", [nameof(Path)])],
    });

    private IEnumerable<ValidationResult> ConversionFaults() =>
        from rule in Convert
        where !(string.Equals(rule.Key, AnyFormat, StringComparison.OrdinalIgnoreCase) || IsOneOf(ConversionPolicy.Sources, rule.Key)) || !IsOneOf(ConversionPolicy.Kept, rule.Value)
        select new ValidationResult(
            $"Convert:{rule.Key} is {rule.Value}: disks are converted from {Words(ConversionPolicy.Sources)} or any, to {Words(ConversionPolicy.Kept)}.", [nameof(Convert)]);

    private string? RuleFor(DiskFormat format) =>
        Convert.TryGetValue(format.Word(), out var named) || Convert.TryGetValue(AnyFormat, out named) ? named : null;

    private static bool IsOneOf(IReadOnlySet<DiskFormat> formats, string word) =>
        EnumWords.TryParse<DiskFormat>(word, out var format) && formats.Contains(format);

    private static string Words(IEnumerable<DiskFormat> formats) => string.Join(", ", formats.Select(f => f.Word()));

    private List<ValidationResult> SectionFaults(object? section, string name)
    {
        var faults = new List<ValidationResult>();
        if (section is null)
            faults.Add(new ValidationResult($"A store of the kind {Kind} needs the section {name}.", [name]));
        else
            Validator.TryValidateObject(section, new ValidationContext(section), faults, validateAllProperties: true);
        return faults;
    }
}
