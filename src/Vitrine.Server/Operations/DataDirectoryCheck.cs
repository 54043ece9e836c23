using Vitrine.Nodes;

namespace Vitrine.Server.Operations;

/// <summary>The data directory can be written to, and nobody else can read what is secret in it.</summary>
internal sealed class DataDirectoryCheck(DataDirectory data) : INodeCheck
{
    private const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute;

    public string Name => "data";

    public Task<IReadOnlyList<Finding>> RunAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<Finding>>([TryWrite(), LookAtRights()]);

    private Finding TryWrite()
    {
        try
        {
            var probe = Path.Combine(data.Path, $".probe-{Guid.NewGuid():N}");
            using var file = new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
            file.WriteByte(1);
            return Finding.Ok(Name, "The data directory can be written to.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return Finding.Fail(Name, "The data directory cannot be written to.", "Look at its owner, its mount and the space on its disk.");
        }
    }

    private Finding LookAtRights() => (File.GetUnixFileMode(data.Path) & Others) == UnixFileMode.None
        ? Finding.Ok("data.rights", "Only its owner can enter the data directory.")
        : Finding.Warn("data.rights", "Others than its owner can enter the data directory, which holds keys.", "Take their rights away: chmod 700.");
}
