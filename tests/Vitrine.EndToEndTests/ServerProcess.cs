using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Vitrine.Client;

namespace Vitrine.EndToEndTests;

/// <summary>The real server in a process of its own, on a data directory that outlives it.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    /// <summary>Stands for the server's port in settings.</summary>
    public const string PortWord = "{port}";

    private const string Password = "correct horse battery staple";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Dictionary<string, string> _environment;
    private Process? _process;

    private ServerProcess(string data, int port, Dictionary<string, string> environment) =>
        (Data, Port, _environment) = (data, port, environment);

    public static TokenRequest Administrator { get; } = new() { User = "admin", Password = Password, Project = "admin" };

    public string Data { get; }

    public int Port { get; }

    public string Url => $"http://127.0.0.1:{Port}";

    public int ProcessId => Running.Id;

    private Process Running => _process ?? throw new InvalidOperationException("The server is not running.");

    /// <summary>Starts a server on an empty data directory, which may fetch from this machine.</summary>
    public static async Task<ServerProcess> StartAsync(IReadOnlyDictionary<string, string>? settings = null, string? data = null)
    {
        data ??= Directory.CreateTempSubdirectory("vitrine-e2e-").FullName;
        var port = FreePort();
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["VITRINE_DATA"] = data,
            ["VITRINE_PORT"] = port.ToString(),
            ["VITRINE_ADMIN_PASSWORD"] = Password,
            ["VITRINE_SOURCES__ALLOWEDHOSTS__0"] = "127.0.0.1",
        };
        foreach (var (name, value) in settings ?? new Dictionary<string, string>())
            environment[name] = value.Replace(PortWord, $"{port}", StringComparison.Ordinal);

        var server = new ServerProcess(data, port, environment);
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>Starts the server on what an earlier run left, with settings beside those that it had.</summary>
    public async Task StartAgainAsync(IReadOnlyDictionary<string, string>? more = null)
    {
        foreach (var (name, value) in more ?? new Dictionary<string, string>())
            _environment[name] = value;

        var start = new ProcessStartInfo(Checkout.Program("Vitrine.Server", "vitrine-server"))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in _environment)
            start.Environment[name] = value;

        _process = Process.Start(start)!;
        _ = AppendAsync(_process.StandardOutput, "server.log");
        _ = AppendAsync(_process.StandardError, "server.err");
        await WaitUntilReadyAsync();
    }

    /// <summary>Ends the server as a power cut of the process would: no signal handler, no flush, no goodbye.</summary>
    public async Task KillAsync()
    {
        if (!Running.HasExited)
            Signals.Kill(ProcessId);
        await Running.WaitForExitAsync();
        Running.Dispose();
        _process = null;
    }

    /// <summary>Tells the server to stop, as a supervisor does, and waits until it has.</summary>
    /// <returns>The code that it ended with.</returns>
    public async Task<int> TerminateAsync()
    {
        Signals.Terminate(ProcessId);
        using var patience = new CancellationTokenSource(Patience);
        await Running.WaitForExitAsync(patience.Token);
        return Running.ExitCode;
    }

    /// <summary>What somebody needs to log in as the administrator, with any OpenStack client.</summary>
    public IReadOnlyDictionary<string, string> OpenStackEnvironment => new Dictionary<string, string>
    {
        ["OS_AUTH_URL"] = $"{Url}/identity/v3",
        ["OS_USERNAME"] = "admin",
        ["OS_PASSWORD"] = Password,
        ["OS_PROJECT_NAME"] = "admin",
        ["OS_USER_DOMAIN_NAME"] = "Default",
        ["OS_PROJECT_DOMAIN_NAME"] = "Default",
        ["OS_REGION_NAME"] = "RegionOne",
        ["OS_IDENTITY_API_VERSION"] = "3",
        ["OS_IMAGE_API_VERSION"] = "2",
    };

    /// <summary>The same for our own command line.</summary>
    public IReadOnlyDictionary<string, string> VitrineEnvironment => new Dictionary<string, string>
    {
        ["VITRINE_URL"] = Url,
        ["VITRINE_USER"] = "admin",
        ["VITRINE_PASSWORD"] = Password,
        ["VITRINE_PROJECT"] = "admin",
        ["VITRINE_CONFIG"] = Path.Combine(Data, "cli.json"),
    };

    /// <summary>A client that logs in by itself, and again after a restart.</summary>
    public LibraryClient NewClient() => new(
        new Uri(Url), new LibraryClientOptions { Credentials = Administrator });

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await KillAsync();
        Directory.Delete(Data, recursive: true);
    }

    private async Task WaitUntilReadyAsync()
    {
        using var http = new HttpClient(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(1) });
        var began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < Patience)
        {
            if (Running.HasExited)
                throw new InvalidOperationException($"The server ended with {Running.ExitCode}: {await File.ReadAllTextAsync(Path.Combine(Data, "server.err"))}");

            try
            {
                using var answer = await http.GetAsync(new Uri($"{Url}/readyz"));
                if (answer.StatusCode is HttpStatusCode.OK)
                    return;
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        throw new TimeoutException("The server did not become ready.");
    }

    private async Task AppendAsync(StreamReader from, string name)
    {
        await using var log = new StreamWriter(new FileStream(Path.Combine(Data, name), FileMode.Append, FileAccess.Write, FileShare.ReadWrite));
        while (await from.ReadLineAsync() is { } line)
        {
            await log.WriteLineAsync(line);
            await log.FlushAsync();
        }
    }

    /// <summary>Tries to start a server that should refuse its settings.</summary>
    public static async Task<CommandResult> StartInVainAsync(IReadOnlyDictionary<string, string> settings, params string[] arguments)
    {
        var data = Directory.CreateTempSubdirectory("vitrine-e2e-");
        try
        {
            var environment = new Dictionary<string, string>(settings) { ["VITRINE_DATA"] = data.FullName, ["VITRINE_PORT"] = FreePort().ToString() };
            return await Command.RunAsync(Checkout.Program("Vitrine.Server", "vitrine-server"), arguments, environment);
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
