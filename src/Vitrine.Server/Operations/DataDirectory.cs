using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Vitrine.Server.Operations;

/// <summary>The directory that holds everything of this node, for this process alone while it runs.</summary>
/// <remarks>
/// <code>
/// data/
/// ├── lock              held by the server that runs here
/// ├── admin-password    of the user admin, as generated at the first start
/// ├── catalogue.db      the catalogue, unless it is in PostgreSQL
/// ├── jobs.db           the jobs of a single node
/// ├── keys/             what tokens and secrets are encrypted with
/// └── store/            the store "default", unless others are configured
/// </code>
/// </remarks>
internal sealed class DataDirectory : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const int PasswordBytes = 18;

    private readonly FileStream _lock;

    private DataDirectory(string path, FileStream locked) => (Path, _lock) = (path, locked);

    public string Path { get; }

    /// <summary>Makes the directory where it is missing, and takes it for this process.</summary>
    /// <exception cref="IOException">It cannot be made or written to, or another server runs in it.</exception>
    public static DataDirectory Take(ServerOptions options)
    {
        var path = Directory.CreateDirectory(System.IO.Path.GetFullPath(options.Data), OwnerOnly).FullName;
        Directory.CreateDirectory(options.PathOf("store"));
        Directory.CreateDirectory(options.PathOf("keys"), OwnerOnly);
        try
        {
            return new DataDirectory(path, new FileStream(options.PathOf("lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException taken)
        {
            throw new IOException($"The data directory {path} is in use by another server, or cannot be written to: {taken.Message}", taken);
        }
    }

    /// <summary>The password that the first start gives to the user admin; on disk before it is anybody's.</summary>
    public string InitialPassword()
    {
        var file = System.IO.Path.Combine(Path, "admin-password");
        if (!File.Exists(file))
        {
            using var stream = new FileStream(file, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            stream.Write(Encoding.ASCII.GetBytes(Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(PasswordBytes))));
            stream.Flush(flushToDisk: true);
        }

        return File.ReadAllText(file).Trim();
    }

    public void Dispose() => _lock.Dispose();
}
