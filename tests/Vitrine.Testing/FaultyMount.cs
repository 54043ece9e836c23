using System.Text.Json;
using System.Text.Json.Serialization;
using Xunit;

namespace Vitrine.Testing;

/// <summary>A real mount whose calls fail when a test says so, as those of a file server's do. To be the fixture of a class, since its tests share the faults.</summary>
public sealed class FaultyMount : IAsyncLifetime
{
    private static readonly JsonSerializerOptions AsRules = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private IReadOnlyDictionary<string, string> _started = null!;
    private int _generation;

    private string RulesPath => _started["FAULTFS_RULES"];

    public async ValueTask InitializeAsync() => _started = await ServerScript.StartAsync("faultfs-up");

    public async ValueTask DisposeAsync() => await ServerScript.RunAsync("faultfs-down", _started["FAULTFS_DIR"]);

    /// <returns>A new directory in it.</returns>
    public DirectoryInfo CreateDirectory() => Directory.CreateDirectory(Path.Combine(_started["FAULTFS_MOUNT"], Guid.NewGuid().ToString("N")));

    /// <summary>From now on these faults happen, and no others.</summary>
    public void Fail(params MountFault[] faults)
    {
        File.WriteAllText(_started["FAULTFS_HITS"], "");
        Write(faults);
    }

    /// <summary>Nothing fails any more.</summary>
    /// <returns>The calls that a fault happened to, as in <c>write /a/b</c>, since there are any.</returns>
    public IReadOnlyList<string> Heal()
    {
        Write([]);
        return File.ReadAllLines(_started["FAULTFS_HITS"]);
    }

    /// <summary>What is open becomes stale, as when the file server starts again.</summary>
    public void MakeStale()
    {
        _generation++;
        Write([]);
    }

    private void Write(MountFault[] faults)
    {
        // In one step: half a file would be no rules.
        File.WriteAllText(RulesPath + ".new", JsonSerializer.Serialize(new { Generation = _generation, Rules = faults }, AsRules));
        File.Move(RulesPath + ".new", RulesPath, overwrite: true);
    }
}

/// <summary>What goes wrong in a mount; tests/servers/faultfs.py says what each means.</summary>
/// <param name="Op">The call: <c>write</c>, <c>fsync</c>, <c>flush</c>, which is what a close says…</param>
/// <param name="Errno">By its name, as in <c>EDQUOT</c>.</param>
/// <param name="Path">A pattern of the paths to which it happens.</param>
public sealed record MountFault(string Op, string? Errno = null, string? Path = null)
{
    public int? After { get; init; }

    public int? Times { get; init; }

    public double? Delay { get; init; }

    public bool? Lose { get; init; }

    public int? Short { get; init; }

    public bool? Late { get; init; }

    public override string ToString() => $"{Errno} at {Op} {Path}";
}
