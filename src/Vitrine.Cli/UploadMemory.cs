using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Vitrine.Cli;

/// <param name="Transfer">The id of the upload's transfer.</param>
internal sealed record RememberedUpload(string Transfer, string Image);

/// <summary>Which uploads of which files were begun, so that the same command goes on where an earlier run was.</summary>
/// <remarks>One small file an upload, named by what it is of; runs beside each other do not meet.</remarks>
internal sealed class UploadMemory(string folder)
{
    /// <summary>Another size or time of change is another file, and begins anew.</summary>
    public static string KeyOf(FileInfo file, Uri server, string name) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        $"{file.FullName}\n{file.Length}\n{file.LastWriteTimeUtc.Ticks}\n{server}\n{name}")));

    public RememberedUpload? Find(string key)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(PathOf(key)), SettingsJson.Default.RememberedUpload);
        }
        catch (Exception failure) when (failure is IOException or JsonException)
        {
            // Without it the upload begins anew, which is never wrong.
            return null;
        }
    }

    public void Remember(string key, RememberedUpload upload)
    {
        SettingsFile.MakeFolder(folder);
        File.WriteAllBytes(PathOf(key), JsonSerializer.SerializeToUtf8Bytes(upload, SettingsJson.Default.RememberedUpload));
    }

    public void Forget(string key)
    {
        if (Directory.Exists(folder))
            File.Delete(PathOf(key));
    }

    private string PathOf(string key) => Path.Combine(folder, $"{key}.json");
}
