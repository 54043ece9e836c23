using System.Net;
using Vitrine.Nodes;

namespace Vitrine.Server.Operations;

/// <summary>What this machine exports of the library's directories by NFS goes to the networks that are meant, and not to everybody.</summary>
/// <param name="directories">What is kept where.</param>
/// <param name="configuration">Where <c>exports</c> and <c>exports.d</c> are.</param>
internal sealed class SharesCheck(IReadOnlyList<(string What, string Path)> directories, DoctorOptions options, string configuration = "/etc") : INodeCheck
{
    private const string Remedy = "Name the addresses of the nodes, hypervisors and managers in exports(5), as 10.1.0.0/24, and run exportfs -ra.";

    public string Name => "shares";

    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken cancellationToken)
    {
        if (options.ShareNetworks.FirstOrDefault(n => !IPNetwork.TryParse(n, out _)) is { } wrong)
            return [Finding.Fail(Name, $"Doctor:ShareNetworks has '{wrong}', which is no network.", "Write networks as 10.1.0.0/24.")];

        List<Finding> findings;
        try
        {
            var exports = new List<NfsExport>();
            foreach (var file in ListFiles())
                exports.AddRange(NfsExport.Parse(await File.ReadAllTextAsync(file, cancellationToken)));

            // Links are followed on the disk, and a mount that hangs must not hold up the other checks.
            findings = await Task.Run(() => directories.SelectMany(d => LookAt(d.What, Real(d.Path), exports)).ToList(), cancellationToken);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return [Finding.Warn(Name, $"What this machine exports by NFS cannot be told: {failure.Message}", $"Let the library's user read {configuration}/exports and {configuration}/exports.d.")];
        }

        return findings.Count > 0 ? findings : [Finding.Ok(Name, "This machine exports none of the library's directories by NFS.")];
    }

    private IEnumerable<string> ListFiles()
    {
        var main = Path.Combine(configuration, "exports");
        var further = Path.Combine(configuration, "exports.d");
        return (File.Exists(main) ? [main] : Array.Empty<string>())
            .Concat(Directory.Exists(further) ? Directory.EnumerateFiles(further, "*.exports").Order(StringComparer.Ordinal) : []);
    }

    private IEnumerable<Finding> LookAt(string what, string path, IEnumerable<NfsExport> exports) =>
        from export in exports
        let shared = Real(export.Path)
        where IsWithin(path, shared) || IsWithin(shared, path)
        let strangers = export.Clients.Where(c => !IsMeant(c)).Select(c => c.Length == 0 ? "everybody" : c).Distinct().ToList()
        select strangers.Count == 0
            ? Finding.Ok($"{Name}.{what}", $"{export.Path} is exported by NFS to {string.Join(", ", export.Clients)} alone.")
            : Finding.Warn($"{Name}.{what}", $"{export.Path} is exported by NFS to {string.Join(", ", strangers)}{Beyond}.", Remedy);

    private string Beyond => options.ShareNetworks.Count == 0 ? "" : $", beyond the networks of Doctor:ShareNetworks ({string.Join(", ", options.ShareNetworks)})";

    /// <returns>The path without links, or as it is written where it is not there; of the root an empty text.</returns>
    private static string Real(string path)
    {
        try
        {
            return StorePlace.RealPath(path);
        }
        catch (IOException)
        {
            return Path.GetFullPath(path).TrimEnd('/');
        }
    }

    private static bool IsWithin(string path, string directory) =>
        path == directory || path.StartsWith(directory + "/", StringComparison.Ordinal);

    /// <summary>Where nobody says which networks are meant, all that is not everybody.</summary>
    private bool IsMeant(string client)
    {
        if (client is "" or "*")
            return false;

        var network = NetworkOf(client);
        return options.ShareNetworks.Count == 0
            ? network is not { PrefixLength: 0 }
            : network is { } given && options.ShareNetworks.Select(IPNetwork.Parse).Any(n => n.PrefixLength <= given.PrefixLength && n.Contains(given.BaseAddress));
    }

    /// <returns>Null for a name, a pattern or a group, which may have any address.</returns>
    private static IPNetwork? NetworkOf(string client)
    {
        var slash = client.IndexOf('/', StringComparison.Ordinal);
        if (!IPAddress.TryParse(slash < 0 ? client : client[..slash], out var address))
            return null;

        var bits = 8 * address.GetAddressBytes().Length;
        var length = slash < 0 ? bits : LengthOf(client[(slash + 1)..]);
        return length is { } known && known <= bits ? new IPNetwork(Masked(address, known), known) : null;
    }

    private static int? LengthOf(string text) =>
        int.TryParse(text, out var length) && length >= 0 ? length
        : IPAddress.TryParse(text, out var mask) ? mask.GetAddressBytes().Sum(b => int.PopCount(b)) : null;

    private static IPAddress Masked(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] &= (byte)(0xff00 >> Math.Clamp(length - 8 * i, 0, 8));

        return new IPAddress(bytes);
    }
}
