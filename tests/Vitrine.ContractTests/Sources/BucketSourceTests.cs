using System.Net;
using System.Security.Cryptography;
using Vitrine.Sources;
using Vitrine.Stores.Objects.S3;
using Vitrine.Testing.S3;
using Vitrine.Testing.Sources;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Sources;

public sealed class BucketSourceContractTests : SourceContract
{
    private readonly HttpRig _rig = new HttpRig().AllowLoopback();
    private readonly ScriptedHttpServer _server = ScriptedHttpServer.Start();
    private readonly ISource _source;

    public BucketSourceContractTests()
    {
        _rig.Options.S3Credentials.Add(CredentialAt($"http://127.0.0.1:{_server.Port}", "archive"));
        _rig.Options.S3Credentials.Add(CredentialAt("http://10.0.0.1", "inner"));
        _source = _rig.CreateBucketSource();
    }

    private protected override ISource Source => _source;
    private protected override Uri InnerAddress => new("s3://inner@bucket/key");

    private protected override ScriptedFile Serve(ScriptedContent content, out Uri address)
    {
        address = new Uri("s3://archive@bucket/folder/a%20key");
        return _server.Serve("/bucket/folder/a%20key", content);
    }

    [Fact]
    public override async Task A_probe_tells_of_a_file_without_reading_it()
    {
        Serve(ScriptedContent.Generated(1000), out var address);

        var probe = await Source.ProbeAsync(address, Stop);
        Assert.Equal((200, 1000, $"http://127.0.0.1:{_server.Port}/bucket/folder/a%20key?…"), (probe.Status, probe.Length!.Value, probe.FinalAddress));
    }

    [Theory]
    [InlineData("s3://bucket/key", SourceFault.Login)]
    [InlineData("s3://other@bucket/key", SourceFault.Login)]
    [InlineData("s3://archive:canary@bucket/key", SourceFault.MalformedUrl)]
    [InlineData("s3://archive@bucket/", SourceFault.MalformedUrl)]
    [InlineData("s3://archive@bucket", SourceFault.MalformedUrl)]
    [InlineData("s3://archive@bucket/key?versionId=canary", SourceFault.MalformedUrl)]
    [InlineData("s3://archive@bucket/a/../../other/key", SourceFault.MalformedUrl)]
    [InlineData("s3://archive@bucket/%2e%2e/other/key", SourceFault.MalformedUrl)]
    [InlineData("s3://archive@bucket/a%0akey", SourceFault.MalformedUrl)]
    [InlineData("s3://archive@bucket:80/key", SourceFault.MalformedUrl)]
    [InlineData("s3://archive@10.0.0.1:9000/key", SourceFault.MalformedUrl)]
    public async Task What_names_no_object_of_a_known_login_is_refused(string address, SourceFault fault)
    {
        var failure = await Assert.ThrowsAsync<SourceException>(() => Source.OpenAsync(new Uri(address), 0, null, Stop));

        Assert.Equal((fault, false), Told(failure));
        Assert.DoesNotContain("canary", failure.ToString());
        Assert.Empty(_rig.Network.Dialled);
    }

    public override async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _rig.Dispose();
    }

    private static S3Credential CredentialAt(string endpoint, string name) =>
        new() { Name = name, Endpoint = endpoint, AccessKey = "key", SecretKey = "canary" };
}

/// <summary>Against real servers of objects, which check the signatures.</summary>
public sealed class RealBucketSourceTests(CephServer ceph, SwiftServer swift) : IDisposable
{
    private readonly HttpRig _rig = new HttpRig().AllowLoopback();

    [Fact]
    public async Task Radosgw_gives_objects_by_signed_addresses() => await ReadBackAsync(await ceph.CreatePlaceAsync());

    [Fact]
    public async Task Swift_gives_objects_by_signed_addresses() => await ReadBackAsync(await swift.CreatePlaceAsync());

    public void Dispose() => _rig.Dispose();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private async Task ReadBackAsync(S3StoreOptions place)
    {
        var bytes = RandomNumberGenerator.GetBytes(1_000_001);
        var objects = new S3Objects("s3", place, TimeProvider.System);
        await objects.PutAsync("images/a", bytes, Stop);
        _rig.Options.S3Credentials.Add(new S3Credential
        {
            Name = "default",
            Endpoint = place.Endpoint,
            Region = place.Region,
            AccessKey = place.AccessKey,
            SecretKey = place.SecretKey,
        });
        _rig.Options.S3Credentials.Add(new S3Credential
        {
            Name = "wrong",
            Endpoint = place.Endpoint,
            Region = place.Region,
            AccessKey = place.AccessKey,
            SecretKey = "wrong",
        });
        var source = _rig.CreateBucketSource();
        var address = new Uri($"s3://{place.Bucket}/{place.Prefix}images/a");

        var probe = await source.ProbeAsync(address, Stop);
        Assert.Equal((bytes.Length, true), (probe.Length, probe.CanResume));
        Assert.Equal(bytes, await ReadAsync(source, address, 0, null));
        Assert.Equal(bytes[500_000..], await ReadAsync(source, address, 500_000, probe.Validator));

        var wrong = new Uri($"s3://wrong@{place.Bucket}/{place.Prefix}images/a");
        var refused = await Assert.ThrowsAsync<SourceException>(() => source.OpenAsync(wrong, 0, null, Stop));
        Assert.Equal(SourceFault.Status, refused.Fault);
        var missing = await Assert.ThrowsAsync<SourceException>(() => source.OpenAsync(new Uri(address.OriginalString + "x"), 0, null, Stop));
        Assert.Contains($"{(int)HttpStatusCode.NotFound}", missing.Message);
    }

    private static async Task<byte[]> ReadAsync(ISource source, Uri address, long from, string? validator)
    {
        await using var reading = await source.OpenAsync(address, from, validator, Stop);
        using var all = new MemoryStream();
        await reading.Body.CopyToAsync(all, Stop);
        return all.ToArray();
    }
}
