using Microsoft.Extensions.Logging.Abstractions;
using Vitrine.Sources;
using Vitrine.Sources.Buckets;
using Vitrine.Sources.FileServers;
using Vitrine.Sources.Glance;
using Vitrine.Sources.Http;
using Vitrine.Sources.Libraries;
using Vitrine.Sources.Outgoing;
using Vitrine.Testing.Sources;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Sources;

/// <summary>A source of HTTP over a made-up network and a clock that stands still, with nothing allowed but what a test allows.</summary>
internal sealed class HttpRig : IDisposable
{
    private readonly SourceMeter _meter = new();
    private OutgoingHttp? _http;
    private HttpSource? _source;

    public SourceOptions Options { get; } = new();
    public ScriptedNetwork Network { get; } = new();
    public SteppedTime Time { get; } = new();

    /// <summary>Made at its first use, after which the options are fixed.</summary>
    public ISource Source => _source ??= Create();

    /// <summary>Opens 127.0.0.1, where scripted servers are.</summary>
    public HttpRig AllowLoopback()
    {
        Options.AllowedNetworks.Add("127.0.0.1");
        return this;
    }

    public Task<SourceReading> OpenAsync(Uri address, long from = 0, string? validator = null) =>
        Source.OpenAsync(address, from, validator, TestContext.Current.CancellationToken);

    public async Task<SourceException> FailAsync(Uri address, long from = 0, string? validator = null) =>
        await Assert.ThrowsAsync<SourceException>(() => OpenAsync(address, from, validator));

    /// <summary>A source of buckets over the source of HTTP.</summary>
    public BucketSource CreateBucketSource() => new(_source ??= Create(), Options, Time);

    /// <summary>A source of other libraries over the source of HTTP.</summary>
    public LibrarySource CreateLibrarySource()
    {
        _source ??= Create();
        return new(_http!, _source, Options);
    }

    /// <summary>A source of image services over the source of HTTP.</summary>
    public GlanceSource CreateGlanceSource() => new(_source ??= Create());

    /// <summary>A source of FTP and SFTP over the same network.</summary>
    public FileServerSource CreateFileServerSource()
    {
        var policy = new OutgoingPolicy(Options, Network);
        return new FileServerSource(policy, Connector(policy), Options, Time, _meter);
    }

    public void Dispose() => _meter.Dispose();

    private OutgoingConnector Connector(OutgoingPolicy policy) =>
        new(policy, Network, new TlsTrust(Options, Time), Options, Time, NullLogger<OutgoingConnector>.Instance);

    private HttpSource Create()
    {
        var policy = new OutgoingPolicy(Options, Network);
        _http = new OutgoingHttp(policy, Connector(policy), Options, Time);
        return new HttpSource(_http, Options, Time, _meter);
    }
}
