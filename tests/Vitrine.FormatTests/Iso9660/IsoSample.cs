using System.Text;
using Vitrine.Formats.Iso9660;
using Vitrine.Stores;

namespace Vitrine.FormatTests.Iso9660;

/// <summary>Small trees of files, and what is found of them on media.</summary>
internal static class IsoSample
{
    public static readonly DateTimeOffset Noon = new(2025, 3, 4, 12, 0, 0, TimeSpan.Zero);

    public static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>What an OpenStack guest and one of CloudStack would look for; user data is kept once.</summary>
    public static IsoBuilder ConfigDrive(string label = "config-2") => new IsoBuilder(label, Noon, publisher: "Vitrine")
        .AddFile("openstack/latest/meta_data.json", Text("""{"uuid":"6c9d2b7e"}"""))
        .AddFile("openstack/latest/network_data.json", Text("{}"))
        .AddFile("openstack/latest/vendor_data.json", Text("{}"))
        .AddFile("cloudstack/user_data/user_data.txt", Text("#cloud-config\n"))
        .AddLink("openstack/latest/user_data", "cloudstack/user_data/user_data.txt")
        .AddFile("cloudstack/password/vm_password.txt", Text("saved_password"))
        .AddFile("cloudstack/metadata/empty.txt", default);

    public static Task<byte[]> ToArrayAsync(this IsoBuilder builder) => builder.Build().ToArrayAsync(Stop);

    /// <summary>Every path with its content as text; directories have a slash at their end.</summary>
    public static async Task<SortedDictionary<string, string>> ReadAsync(ContentReader content, IsoNaming best = IsoNaming.RockRidge)
    {
        var volume = await IsoVolume.OpenAsync(content, Stop, best);
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await foreach (var entry in volume.ListAsync(Stop))
            found.Add(entry.Kind is IsoEntryKind.Directory ? $"{entry.Path}/" : entry.Path, await ReadAsync(content, entry));

        return found;
    }

    private static async Task<string> ReadAsync(ContentReader content, IsoEntry entry)
    {
        var text = new StringBuilder();
        foreach (var extent in entry.Extents)
        {
            var bytes = new byte[extent.Length];
            Assert.Equal(bytes.Length, await content.ReadAsync(extent.Start, bytes, Stop));
            text.Append(Encoding.UTF8.GetString(bytes));
        }

        return text.ToString();
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
