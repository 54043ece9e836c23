using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Vitrine.Stores;
using Vitrine.Stores.Chunked;
using Vitrine.Stores.FileSystem;
using Vitrine.Stores.Rbd;

namespace Vitrine.Server;

/// <summary>Makes stores of what the configuration says of them, and of what administrators say of new ones by the same rules.</summary>
internal sealed class StoreOpener(IReadOnlyList<(string Name, StoreOptions Options)> configured, ServerOptions server) : IStoreOpener
{
    private const string SettingsField = "settings";
    private const string PathField = "path";

    /// <summary>What an addition says in fields of its own, or is not to say.</summary>
    private static readonly HashSet<string> OwnFields =
        new([nameof(StoreOptions.Kind), nameof(StoreOptions.Path), nameof(StoreOptions.Zone), nameof(StoreOptions.Description), nameof(StoreOptions.Default)], StringComparer.OrdinalIgnoreCase);

    /// <summary>The stores of the configuration.</summary>
    /// <exception cref="OptionsValidationException">What is wrong with one of them.</exception>
    public StoreRegistry OpenConfigured() => new(configured.Select(s => (Describe(s.Name, Checked(s.Name, s.Options)), Open(s.Name, s.Options))));

    public async Task<(LibraryStore Store, IContentStore Contents)> FoundAsync(
        StoreAddition addition, IReadOnlyCollection<StoreAddition> others, CancellationToken cancellationToken)
    {
        var options = Read(addition);
        CheckKind(options);

        // Before anything says of a file whether it is there.
        CheckFiles(addition.Name, options);
        if (FaultsOf(options).FirstOrDefault() is { } fault)
            throw new InvalidFieldException(fault.MemberNames.Contains(nameof(StoreOptions.Path)) ? PathField : SettingsField, fault.ErrorMessage!);

        Settle(addition.Name, options, others);
        if (options.Kind is "directory" && FileSystemStore.IsIn(options.Path))
            throw Founded(addition.Name);

        var contents = Open(addition.Name, options);
        if (contents is not ChunkedStore chunked)
            return (Describe(addition.Name, options), contents);

        try
        {
            return await chunked.IsThereAsync(cancellationToken) ? throw Founded(addition.Name) : (Describe(addition.Name, options), contents);
        }
        catch
        {
            await chunked.DisposeAsync();
            throw;
        }
    }

    public (LibraryStore Store, IContentStore Contents) Open(StoreAddition addition)
    {
        // What is said of it was right by the rules that held when it was added.
        var options = Read(addition);
        CheckKind(options);
        CheckFiles(addition.Name, options);
        Settle(addition.Name, options, []);
        return (Describe(addition.Name, options), Open(addition.Name, options));
    }

    public string? FindConfigured(StoreAddition addition)
    {
        var options = Read(addition);
        if (!StoreOptions.Kinds.Contains(options.Kind))
            return null;

        try
        {
            return FindIn(options, [], there => PlaceOf(addition.Name, there));
        }
        catch (StoreUnavailableException)
        {
            // A directory that does not answer has no links that could be followed.
            return FindIn(options, [], StorePlace.AsWritten);
        }
    }

    private static StoreInUseException Founded(string name) =>
        new(name, "somebody has made a store there before. Where nobody uses that any more, empty the place, and add the store again.");

    private static void CheckKind(StoreOptions options)
    {
        if (!StoreOptions.Kinds.Contains(options.Kind))
            throw new InvalidFieldException("kind", $"must be one of {string.Join(", ", StoreOptions.Kinds)}");
    }

    /// <summary>Sees to it that the place is no other store's, and stays what it is, whatever links are made of it afterwards.</summary>
    private void Settle(string name, StoreOptions options, IReadOnlyCollection<StoreAddition> others)
    {
        if (FindIn(options, others, there => PlaceOf(name, there)) is { } other)
            throw new StoreInUseException(name, $"the store '{other}' is there.");
        if (options.IsInDirectory)
            options.Path = RealPathOf(name, options.Path);
    }

    private static StoreOptions Read(StoreAddition addition)
    {
        if (addition.Settings.Keys.FirstOrDefault(OwnFields.Contains) is { } own)
            throw new InvalidFieldException(SettingsField, $"{own} is no setting of a store that is added");
        foreach (var setting in addition.Settings)
            Bind([setting!]);

        var options = Bind(addition.Settings!);
        options.Kind = addition.Kind;
        options.Path = addition.Path ?? "";
        options.Zone = addition.Zone;
        options.Description = addition.Description;
        return options;
    }

    /// <remarks>What the binder says of a value has the value in it, which may be secret.</remarks>
    private static StoreOptions Bind(IEnumerable<KeyValuePair<string, string?>> settings)
    {
        try
        {
            return new ConfigurationBuilder().AddInMemoryCollection(settings).Build()
                .Get<StoreOptions>(binding => binding.ErrorOnUnknownConfiguration = true) ?? new StoreOptions();
        }
        catch (Exception failure) when (failure is InvalidOperationException or FormatException)
        {
            throw new InvalidFieldException(SettingsField, $"{settings.First().Key} is no setting of a store, or its value is none for it");
        }
    }

    /// <summary>Nobody is to reach files of this node by a store that he adds, but where the operator of the node lets stores be.</summary>
    private void CheckFiles(string name, StoreOptions options)
    {
        if (options.Rbd is { } rbd)
        {
            CheckFile(name, rbd.ConfigFile == new RbdStoreOptions().ConfigFile ? "" : rbd.ConfigFile, SettingsField);
            CheckFile(name, rbd.Keyring ?? "", SettingsField);
        }

        CheckFile(name, options.Path, PathField);
    }

    private void CheckFile(string name, string path, string field)
    {
        if (path.Length == 0)
            return;
        if (path[0] != '/' || path.Any(char.IsControl))
            throw new InvalidFieldException(field, "the path must begin with a slash");

        var real = RealPathOf(name, path);
        if (!server.StorePaths.Any(allowed => real.StartsWith(StorePlace.RealPath(allowed) + '/', StringComparison.Ordinal)))
        {
            throw new InvalidFieldException(
                field, $"the path is in no directory where node {server.NodeName} lets stores be added: the operator lists those in Server:StorePaths");
        }
    }

    /// <summary>The store that is in the place of another: one of the configuration, all of which this node opens, or one of others.</summary>
    /// <param name="others">Stores that were added. What is called alike in other zones need not be the same, but for buckets.</param>
    private string? FindIn(StoreOptions options, IEnumerable<StoreAddition> others, Func<StoreOptions, StorePlace> placeOf)
    {
        var place = placeOf(options);
        return configured
            .Select(s => (s.Name, s.Options))
            .Concat(others.Where(o => o.Kind is "s3" || o.Zone == ZoneOf(options)).Select(o => (o.Name, Options: Read(o))))
            .Where(s => placeOf(s.Options).Overlaps(place))
            .Select(s => s.Name)
            .FirstOrDefault();
    }

    private string ZoneOf(StoreOptions store) => store.Zone ?? server.Zone;

    private static StorePlace PlaceOf(string name, StoreOptions options)
    {
        try
        {
            return StorePlace.Of(options);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StoreUnavailableException(name, "its directory cannot be looked at.", failure);
        }
    }

    private static string RealPathOf(string name, string path)
    {
        try
        {
            return StorePlace.RealPath(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StoreUnavailableException(name, "its directory cannot be looked at.", failure);
        }
    }

    private LibraryStore Describe(string name, StoreOptions store) =>
        new(name, ZoneOf(store), store.Kind, store.Description, store.Default) { Conversion = store.Conversion };

    private static IContentStore Open(string name, StoreOptions options) => options.Kind switch
    {
        "chunked" => ChunkedStore.InDirectory(name, options.Path, options.Chunked, TimeProvider.System),
        "s3" => ChunkedStore.InBucket(name, options.S3!, options.Chunked, TimeProvider.System),
        "rbd" => RbdStore.Open(name, options.Rbd!, TimeProvider.System),
        _ => FileSystemStore.Open(name, options.Path),
    };

    private static StoreOptions Checked(string name, StoreOptions options) => FaultsOf(options) is { Count: > 0 } faults
        ? throw new OptionsValidationException(name, typeof(StoreOptions), faults.Select(f => $"Stores:{name}: {f.ErrorMessage}"))
        : options;

    private static List<ValidationResult> FaultsOf(StoreOptions options)
    {
        var faults = new List<ValidationResult>();
        Validator.TryValidateObject(options, new ValidationContext(options), faults, validateAllProperties: true);
        return faults;
    }
}
