using System.Net;
using Vitrine.Testing.Sources;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Sources;

public sealed class PlainHttpSourceTests : SourceContract
{
    private readonly HttpRig _rig = new HttpRig().AllowLoopback();
    private readonly ScriptedHttpServer _server = ScriptedHttpServer.Start();

    private protected override ISource Source => _rig.Source;
    private protected override Uri InnerAddress => new("http://10.0.0.1/file");

    private protected override ScriptedFile Serve(ScriptedContent content, out Uri address)
    {
        address = _server.AddressOf("/file");
        return _server.Serve("/file", content);
    }

    public override async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _rig.Dispose();
    }
}

/// <summary>With a name, a login, a query and an authority between the server's and the trusted one.</summary>
public sealed class HttpsSourceTests : SourceContract
{
    private const string Host = "mirror.example";
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();
    private readonly TestAuthority _root = TestAuthority.Create();
    private readonly TestAuthority _between;
    private readonly HttpRig _rig = new();
    private readonly ScriptedHttpServer _server;

    public HttpsSourceTests()
    {
        _between = _root.IssueAuthority("Authority Between");
        _server = ScriptedHttpServer.StartTls(_between.Issue([Host]), _between.Certificate);
        _rig.Options.TrustedCertificates.Add(_root.WritePem(_directory));
        _rig.Network.Name(Host, "8.8.8.8").Lead($"8.8.8.8:{_server.Port}", _server.Port);
    }

    private protected override ISource Source => _rig.Source;
    private protected override Uri InnerAddress => new("https://[fd00::1]/file");

    private protected override ScriptedFile Serve(ScriptedContent content, out Uri address)
    {
        address = _server.AddressOf("/file?signature=1", Host, "user:word");
        var file = _server.Serve("/file", content);
        file.Login = "user:word";
        return file;
    }

    public override async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _rig.Dispose();
        _root.Dispose();
        _between.Dispose();
        _directory.Delete(recursive: true);
    }
}

/// <summary>Through a proxy that tunnels to the addresses that we checked.</summary>
public sealed class TunnelledHttpSourceTests : SourceContract
{
    private readonly HttpRig _rig = new();
    private readonly ScriptedHttpServer _server = ScriptedHttpServer.Start();
    private readonly ScriptedProxy _proxy = new() { Login = "us:er" };

    public TunnelledHttpSourceTests()
    {
        _proxy.Reach = (host, port) => host == "8.8.8.8" ? new IPEndPoint(IPAddress.Loopback, port) : null;
        _rig.Options.Proxy = $"http://us:er@127.0.0.1:{_proxy.Port}";
        _rig.Network.Name("mirror.example", "8.8.8.8");
    }

    private protected override ISource Source => _rig.Source;
    private protected override Uri InnerAddress => new("http://[::ffff:10.0.0.1]/file");

    private protected override ScriptedFile Serve(ScriptedContent content, out Uri address)
    {
        address = _server.AddressOf("/file", "mirror.example");
        return _server.Serve("/file", content);
    }

    public override async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _server.DisposeAsync();
        _rig.Dispose();
    }
}

/// <summary>Through a proxy that looks names up itself and forwards whole requests.</summary>
public sealed class ForwardedHttpSourceTests : SourceContract
{
    private readonly HttpRig _rig = new();
    private readonly ScriptedHttpServer _server = ScriptedHttpServer.Start();
    private readonly ScriptedProxy _proxy = new() { Login = "us:er" };

    public ForwardedHttpSourceTests()
    {
        _proxy.Reach = (host, port) => host == "mirror.example" ? new IPEndPoint(IPAddress.Loopback, port) : null;
        (_rig.Options.Proxy, _rig.Options.ProxyResolves) = ($"http://us:er@127.0.0.1:{_proxy.Port}", true);
    }

    private protected override ISource Source => _rig.Source;
    private protected override Uri InnerAddress => new("http://127.0.0.1/file");

    private protected override ScriptedFile Serve(ScriptedContent content, out Uri address)
    {
        address = _server.AddressOf("/file", "mirror.example");
        return _server.Serve("/file", content);
    }

    public override async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _server.DisposeAsync();
        _rig.Dispose();
    }
}
