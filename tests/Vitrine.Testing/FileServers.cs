namespace Vitrine.Testing;

/// <summary>A real OpenSSH server for the tests of one run, as a fixture of their assembly. It starts when the first test asks for it.</summary>
public sealed class SftpServer : IAsyncDisposable
{
    private readonly Lazy<Task<Dictionary<string, string>>> _started = new(() => ServerScript.StartAsync("sftp-up"));

    /// <summary>What the script says of it: its port, user, password, key, known hosts, fingerprint and files.</summary>
    public async Task<IReadOnlyDictionary<string, string>> GetAsync() => await _started.Value;

    public async ValueTask DisposeAsync()
    {
        if (_started.IsValueCreated)
            await ServerScript.RunAsync("sftp-down", (await _started.Value)["SFTP_DIR"]);
    }
}

/// <summary>A real FTP server for the tests of one run, as a fixture of their assembly. It starts when the first test asks for it.</summary>
public sealed class FtpServer : IAsyncDisposable
{
    private readonly Lazy<Task<Dictionary<string, string>>> _started = new(() => ServerScript.StartAsync("ftp-up"));

    /// <summary>What the script says of it: its port, user, password and files.</summary>
    public async Task<IReadOnlyDictionary<string, string>> GetAsync() => await _started.Value;

    public async ValueTask DisposeAsync()
    {
        if (_started.IsValueCreated)
            await ServerScript.RunAsync("ftp-down", (await _started.Value)["FTP_DIR"]);
    }
}
