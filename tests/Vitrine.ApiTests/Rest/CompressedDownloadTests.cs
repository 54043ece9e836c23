using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Vitrine.Client;
using Vitrine.Content;
using Vitrine.Formats.Wrappers;
using Vitrine.Stores.Chunked;
using Vitrine.Testing.Sources;

namespace Vitrine.ApiTests.Rest;

/// <summary>Downloads as the Zstandard frames that a chunked store has: which clients get them, and what the answers say.</summary>
public sealed class CompressedDownloadTests(RestLibrary library) : IClassFixture<RestLibrary>
{
    private const int Length = 3_000_000;

    private static readonly (string Name, string Value) Accepted = ("Accept-Encoding", "gzip, zstd");

    // Is shared by the tests that do not change it, each of which is an object of its own.
    private static Task<(ImageRecord Image, byte[] Bytes, string Token)>? s_image;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_client_that_takes_zstd_gets_a_representation_of_its_own()
    {
        var (image, bytes, token) = await ImageAsync();
        using var answer = await library.SendAsync(HttpMethod.Get, PathOf(image), token, null, Accepted);
        Assert.Equal((HttpStatusCode.OK, $"\"{image.Sha256}.zstd\""), (answer.StatusCode, answer.Headers.ETag?.ToString()));
        Assert.Equal(["zstd"], answer.Content.Headers.ContentEncoding);
        Assert.Equal("application/octet-stream", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal("attachment", answer.Content.Headers.ContentDisposition?.DispositionType);
        Assert.False(SaysLength(answer));
        Assert.False(answer.Headers.Contains("Accept-Ranges") || answer.Headers.Contains("Repr-Digest") || answer.Headers.Contains("Content-Digest"));
        AssertVaries(answer);

        var frames = await answer.Content.ReadAsByteArrayAsync(Stop);
        Assert.InRange(frames.Length, 1, Length / 2);
        Assert.Equal(bytes, await UnfoldAsync(new MemoryStream(frames)));

        using var head = await library.SendAsync(HttpMethod.Head, PathOf(image), token, null, Accepted);
        Assert.Equal((HttpStatusCode.OK, answer.Headers.ETag), (head.StatusCode, head.Headers.ETag));
        Assert.Equal(["zstd"], head.Content.Headers.ContentEncoding);
        Assert.False(SaysLength(head));
    }

    [Theory]
    [InlineData("zstd", true)]
    [InlineData("gzip, deflate, br, ZSTD", true)]
    [InlineData("zstd;q=0.1", true)]
    [InlineData("identity;q=0.5, zstd;q=0.5", true)]
    [InlineData("zstd;q=0.5, *;q=0", true)]
    [InlineData("zstd;q=0", false)]
    [InlineData("zstd;q=0.4, identity;q=0.5", false)]
    [InlineData("zstd;q=0.4, *;q=0.5", false)]
    [InlineData("*", false)] // by name only: whoever takes anything need not have it
    [InlineData("gzip, deflate, br", false)]
    [InlineData("", false)]
    [InlineData("zstd;q=much", false)]
    public async Task Accept_Encoding_decides(string accepted, bool isCoded) =>
        await AssertCodedAsync(isCoded, ("Accept-Encoding", accepted));

    [Theory]
    [InlineData("Range", "bytes=0-", false)]
    [InlineData("If-Range", "\"another\"", false)]
    [InlineData("Sec-Fetch-Mode", "navigate", false)]
    [InlineData("Sec-Fetch-Dest", "document", false)]
    [InlineData("Sec-Fetch-Mode", "no-cors", false)]
    [InlineData("Sec-Fetch-Mode", "cors", true)]
    [InlineData("Sec-Fetch-Mode", "same-origin", true)]
    [InlineData("Sec-Fetch-Dest", "empty", true)]
    public async Task What_needs_a_length_or_ranges_gets_the_bytes_as_they_are(string name, string value, bool isCoded) =>
        await AssertCodedAsync(isCoded, Accepted, (name, value));

    [Fact]
    public async Task A_client_of_HTTP_1_0_gets_the_bytes_as_they_are()
    {
        var (image, bytes, token) = await ImageAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(library.Address, PathOf(image))) { Version = HttpVersion.Version10 };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Headers.AcceptEncoding.Add(new("zstd"));
        using var answer = await library.Http.SendAsync(request, Stop);
        Assert.Equal(bytes, await answer.Content.ReadAsByteArrayAsync(Stop));
    }

    [Fact]
    public async Task A_store_of_whole_files_gives_them_as_they_are()
    {
        var project = await library.NewProjectAsync();
        using var client = library.ClientOf(project.Member);
        var bytes = Compressible();
        var image = await library.MakeImageAsync(client, bytes);
        using var answer = await library.SendAsync(HttpMethod.Get, PathOf(image), project.Member, null, Accepted);
        Assert.Equal(bytes, await answer.Content.ReadAsByteArrayAsync(Stop));
        AssertVaries(answer);
    }

    [Fact]
    public async Task Another_format_is_sent_as_it_is_made()
    {
        var (image, _, token) = await ImageAsync();
        using var answer = await library.SendAsync(HttpMethod.Get, $"{PathOf(image)}?format=qcow2", token, null, Accepted);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Empty(answer.Content.Headers.ContentEncoding);
        AssertVaries(answer);
    }

    [Theory]
    [InlineData("\"{0}.zstd\"", true, "\"{0}.zstd\"")]
    [InlineData("\"{0}\"", true, "\"{0}\"")] // what it has is as good
    [InlineData("\"other\", \"{0}\", \"{0}.zstd\"", true, "\"{0}\"")]
    [InlineData("\"{0}\"", false, "\"{0}\"")]
    [InlineData("\"{0}.zstd\"", false, null)] // a cache has it, and asks for somebody who cannot read it
    [InlineData("\"other\"", true, null)]
    public async Task What_the_client_has_is_not_sent_again(string has, bool takesZstd, string? unchanged)
    {
        var (image, _, token) = await ImageAsync();
        using var answer = await library.SendAsync(
            HttpMethod.Get, PathOf(image), token, null,
            ("If-None-Match", Of(has)!), takesZstd ? Accepted : ("Accept-Encoding", "gzip"));
        Assert.Equal(unchanged is null ? HttpStatusCode.OK : HttpStatusCode.NotModified, answer.StatusCode);
        AssertVaries(answer);
        if (unchanged is not null)
            Assert.Equal(Of(unchanged), answer.Headers.ETag?.ToString());

        string? Of(string? tag) => tag?.Replace("{0}", image.Sha256, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.01, true)]
    [InlineData(0.9, false)]
    public async Task Damage_is_an_error_and_never_the_end(double where, bool isToldAtOnce)
    {
        var packs = Packs();
        var (image, _, token) = await MakeAsync(Compressible());
        var pack = Assert.Single(Packs().Except(packs));
        var stored = await File.ReadAllBytesAsync(pack, Stop);
        stored[(int)(stored.Length * where)] ^= 1;
        await File.WriteAllBytesAsync(pack, stored, Stop);

        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(library.Address, PathOf(image)));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Headers.AcceptEncoding.Add(new("zstd"));
        using var answer = await library.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        if (isToldAtOnce)
        {
            Assert.Empty(answer.Content.Headers.ContentEncoding);
            Assert.Equal("store-damaged", (await RestLibrary.ProblemOf(answer)).Code);
            return;
        }

        await Assert.ThrowsAsync<HttpRequestException>(() => answer.Content.ReadAsByteArrayAsync(Stop));
        Assert.Contains("damaged", Assert.Single(library.Log.Take()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pull_unfolds_and_goes_on_by_a_range()
    {
        var (image, bytes, token) = await ImageAsync();
        var (unfolded, ends) = (0, new Queue<long>([1_000_000]));
        using var client = new LibraryClient(library.Address, new LibraryClientOptions
        {
            Token = token,
            UnfoldZstd = frames =>
            {
                unfolded++;
                return new EndingStream(new ZstdStream(frames), ends.Dequeue(), () => new IOException("the connection broke"));
            },
        });
        var target = Path.Combine(library.Root, $"pulled-{Guid.NewGuid():N}");
        await client.PullAsync(image, target, progress: null, Stop);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(target, Stop));
        Assert.Equal(1, unfolded);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(700_000)]
    public async Task A_pull_gets_the_bytes_as_they_are_where_it_cannot_unfold_them(long until)
    {
        var (image, bytes, token) = await ImageAsync();
        var unfolded = 0;
        using var client = new LibraryClient(library.Address, new LibraryClientOptions
        {
            Token = token,
            UnfoldZstd = frames =>
            {
                unfolded++;
                return new EndingStream(new ZstdStream(frames), until, () => new InvalidDataException("these are no frames"));
            },
        });
        using var pulled = new MemoryStream();
        await client.PullAsync(image, pulled, progress: null, Stop);
        Assert.Equal(bytes, pulled.ToArray());
        Assert.Equal(1, unfolded);
    }

    [Fact]
    public async Task A_pull_never_writes_more_than_the_image_has()
    {
        await using var hostile = ScriptedHttpServer.Start();
        var (image, _, _) = await ImageAsync();
        image = image with { Size = 1000, Sha256 = Convert.ToHexStringLower(SHA256.HashData(new byte[1000])) };
        var bomb = PlainFrames.Zeros(1L << 40).Take(1000).SelectMany(f => f.ToArray()).ToArray();
        hostile.Serve($"/{PathOf(image)}", ScriptedContent.Of(bomb)).MoreHeaders.Add("Content-Encoding: zstd");

        using var client = ClientOf(hostile, frames => new ZstdStream(frames));
        using var pulled = new MemoryStream();
        await client.PullAsync(image, pulled, progress: null, Stop);
        Assert.Equal(1000, pulled.Length);
        Assert.Equal("zstd", Assert.Single(hostile.Requests).Headers["Accept-Encoding"]);
    }

    [Fact]
    public async Task A_pull_refuses_a_coding_that_it_did_not_ask_for()
    {
        await using var odd = ScriptedHttpServer.Start();
        var (image, _, _) = await ImageAsync();
        odd.Serve($"/{PathOf(image)}", ScriptedContent.Of([1, 2, 3])).MoreHeaders.Add("Content-Encoding: zstd");

        using var client = ClientOf(odd, unfold: null);
        var failure = await Assert.ThrowsAsync<LibraryClientException>(() => client.PullAsync(image, Stream.Null, progress: null, Stop));
        Assert.Equal(ClientCodes.NotALibrary, failure.Code);
        Assert.False(Assert.Single(odd.Requests).Headers.ContainsKey("Accept-Encoding"));
    }

    private static LibraryClient ClientOf(ScriptedHttpServer server, Func<Stream, Stream>? unfold) =>
        new(server.AddressOf("/"), new LibraryClientOptions { Token = "any", Patience = TimeSpan.Zero, UnfoldZstd = unfold });

    private async Task AssertCodedAsync(bool isCoded, params (string Name, string Value)[] headers)
    {
        var (image, bytes, token) = await ImageAsync();
        using var answer = await library.SendAsync(HttpMethod.Get, PathOf(image), token, null, headers);
        Assert.True(answer.IsSuccessStatusCode);
        Assert.Equal(isCoded ? ["zstd"] : [], answer.Content.Headers.ContentEncoding);
        Assert.Equal(!isCoded, SaysLength(answer));
        AssertVaries(answer);
        var body = await answer.Content.ReadAsByteArrayAsync(Stop);
        Assert.Equal(bytes, isCoded ? await UnfoldAsync(new MemoryStream(body)) : body);
    }

    // The client computes a length for itself where none came.
    private static bool SaysLength(HttpResponseMessage answer) => answer.Content.Headers.NonValidated.Contains("Content-Length");

    private static void AssertVaries(HttpResponseMessage answer) =>
        Assert.Equal(["Accept", "Accept-Encoding", "Sec-Fetch-Dest", "Sec-Fetch-Mode"], answer.Headers.Vary);

    private static string PathOf(ImageRecord image) => $"api/v1/images/{image.Id}/file";

    private async Task<(ImageRecord Image, byte[] Bytes, string Token)> ImageAsync() => await (s_image ??= MakeAsync(Compressible()));

    private async Task<(ImageRecord Image, byte[] Bytes, string Token)> MakeAsync(byte[] bytes)
    {
        var project = await library.NewProjectAsync();
        using var client = library.ClientOf(project.Member);
        return (await library.MakeImageAsync(client, bytes, store: RestLibrary.SharingStore), bytes, project.Member);
    }

    private HashSet<string> Packs() =>
        [.. Directory.EnumerateFiles(Path.Combine(library.Root, RestLibrary.SharingStore), "*", SearchOption.AllDirectories).Where(f => f.Contains("/packs/", StringComparison.Ordinal))];

    /// <summary>What shrinks to a third, and is new each time.</summary>
    private static byte[] Compressible()
    {
        var bytes = RandomNumberGenerator.GetBytes(Length);
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)('a' + bytes[i] % 6);

        return bytes;
    }

    private static async Task<byte[]> UnfoldAsync(Stream frames)
    {
        await using var plain = new ZstdStream(frames);
        using var all = new MemoryStream();
        await plain.CopyToAsync(all, Stop);
        return all.ToArray();
    }

    /// <summary>Fails after some bytes.</summary>
    private sealed class EndingStream(Stream inner, long until, Func<Exception> failure) : ReadOnlyStream
    {
        private long _given;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_given == until)
                throw failure();

            var read = await inner.ReadAsync(buffer[..(int)Math.Min(buffer.Length, until - _given)], cancellationToken);
            _given += read;
            return read;
        }

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
