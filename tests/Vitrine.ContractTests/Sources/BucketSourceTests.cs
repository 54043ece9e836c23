using System.Net;
using System.Security.Cryptography;
using Vitrine.Sources;
using Vitrine.Sources.Buckets;
using Vitrine.Stores.Objects.S3;
using Vitrine.Testing.S3;
using Vitrine.Testing.Sources;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Sources;

public sealed class BucketSourceContractTests : SourceContract
{
    private static readonly ScriptedContent Large = ScriptedContent.Generated(4 * StretchedBody.StretchLength + 12_345);

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
    [InlineData(0)]
    [InlineData(3_000_001)]
    public async Task A_large_object_comes_by_several_connections_in_its_order(int from)
    {
        Serve(Large, out var address);
        string? validator;
        await using (var begun = await Source.OpenAsync(address, 0, null, Stop))
            validator = begun.Validator;

        await using var reading = await Source.OpenAsync(address, from, validator, Stop);
        Assert.Equal((from, Large.Length, true), (reading.Offset, reading.Length, reading.CanResume));
        Assert.Equal(Sum(Large.ToArray().AsSpan(from)), await SumAsync(reading));

        var asked = _server.Requests.Select(r => r.Header("Range")).OfType<string>().Where(r => !r.EndsWith('-')).ToList();
        var starts = Enumerable.Range(1, 4).Select(i => from + i * (long)StretchedBody.StretchLength).Where(s => s < Large.Length).ToList();
        Assert.Equal(
            starts.Select(s => $"bytes={s}-{Math.Min(s + StretchedBody.StretchLength, Large.Length) - 1}").Order(StringComparer.Ordinal),
            asked.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_part_that_is_cut_comes_again_and_a_second_cut_is_told()
    {
        var cuts = 1;
        var file = Serve(Large, out var address);
        file.CutAfter = request => IsPart(request) && Interlocked.Decrement(ref cuts) >= 0 ? 1_000_000 : null;
        await using (var reading = await Source.OpenAsync(address, 0, null, Stop))
            Assert.Equal(Sum(Large.ToArray()), await SumAsync(reading));

        file.CutAfter = request => IsPart(request) ? 1_000_000 : null;
        await using var cut = await Source.OpenAsync(address, 0, null, Stop);
        var failure = await Assert.ThrowsAsync<SourceException>(() => SumAsync(cut));
        Assert.Equal((SourceFault.Broken, true), Told(failure));
    }

    [Fact]
    public async Task Parts_of_another_version_are_not_taken()
    {
        var file = Serve(Large, out var address);
        await using var reading = await Source.OpenAsync(address, 0, null, Stop);
        file.ETag = "\"2\"";
        var failure = await Assert.ThrowsAsync<SourceException>(() => SumAsync(reading));
        Assert.Equal((SourceFault.Broken, true), Told(failure));
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

    private static bool IsPart(SeenRequest request) => request.Header("Range") is { } range && !range.EndsWith('-');

    private static string Sum(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static async Task<string> SumAsync(SourceReading reading) => Convert.ToHexStringLower(await SHA256.HashDataAsync(reading.Body, Stop));

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
        // Large enough to come by several connections.
        var bytes = RandomNumberGenerator.GetBytes(2 * StretchedBody.StretchLength + 1_000_001);
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
