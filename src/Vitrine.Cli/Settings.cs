using System.Text.Json;
using System.Text.Json.Serialization;

namespace Vitrine.Cli;

/// <summary>What a login leaves behind for the commands after it.</summary>
internal sealed record Settings
{
    public string? Url { get; init; }
    public string? Token { get; init; }
    public DateTimeOffset? TokenExpiresAt { get; init; }
    public string? CredentialId { get; init; }
    public string? CredentialSecret { get; init; }

    /// <summary>A file of trusted authorities, as PEM.</summary>
    public string? Authorities { get; init; }

    /// <summary>Where OpenStack's clients log in.</summary>
    public string? IdentityUrl { get; init; }

    public string? Region { get; init; }
    public string? User { get; init; }
    public string? Project { get; init; }
    public string? Domain { get; init; }

    /// <summary>Never prints the secrets.</summary>
    public override string ToString() => $"settings for {Url}";
}

/// <summary>Keeps the settings in a file that only its owner can read.</summary>
internal sealed class SettingsFile(string path)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public string Path { get; } = path;

    /// <summary>Where what belongs to the settings is kept.</summary>
    public string Folder => System.IO.Path.GetDirectoryName(Path)!;

    public static SettingsFile Find(Func<string, string?> variable)
    {
        if (variable("VITRINE_CONFIG") is { Length: > 0 } named)
            return new SettingsFile(System.IO.Path.GetFullPath(named));

        var home = variable("XDG_CONFIG_HOME") is { Length: > 0 } xdg ? xdg : System.IO.Path.Combine(variable("HOME") ?? ".", ".config");
        return new SettingsFile(System.IO.Path.Combine(home, "vitrine", "config.json"));
    }

    public Settings Load()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(Path), SettingsJson.Default.Settings) ?? new Settings();
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            return new Settings();
        }
        catch (Exception failure) when (failure is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCodes.Failure, $"{Path} cannot be read.", "Remove it and log in again.");
        }
    }

    /// <summary>Replaces the file in one step, so that no other run reads half of it.</summary>
    public void Save(Settings settings)
    {
        MakeFolder(Folder);
        var next = $"{Path}.{Environment.ProcessId}.new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        using (var file = new FileStream(next, options))
            JsonSerializer.Serialize(file, settings, SettingsJson.Default.Settings);
        File.Move(next, Path, overwrite: true);
    }

    public static void MakeFolder(string folder)
    {
        // A profile's folder is its owner's alone on Windows.
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Settings))]
[JsonSerializable(typeof(RememberedUpload))]
internal sealed partial class SettingsJson : JsonSerializerContext;
