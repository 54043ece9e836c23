using System.Text;
using Microsoft.AspNetCore.Http;
using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.OpenStack.Content;
using Vitrine.Stores;
using Vitrine.Stores.Memory;

namespace Vitrine.UnitTests.OpenStack;

public sealed class ContentResponseTests
{
    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 2_000_000).Select(i => (byte)(i % 251))];

    private readonly DefaultHttpContext _context = new();
    private readonly MemoryStream _body = new();

    public ContentResponseTests() => _context.Response.Body = _body;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_whole_is_sent_with_its_length()
    {
        await ContentResponse.SendAsync(_context, await OpenAsync(), ranges: null, Stop);

        Assert.Equal(200, _context.Response.StatusCode);
        Assert.Equal(Bytes.Length, _context.Response.ContentLength);
        Assert.Equal(Bytes, _body.ToArray());
    }

    [Fact]
    public async Task A_range_is_sent_with_its_place()
    {
        await ContentResponse.SendAsync(_context, await OpenAsync(), [new ByteRange(10, 1_500_000)], Stop);

        Assert.Equal(206, _context.Response.StatusCode);
        Assert.Equal("bytes 10-1499999/2000000", _context.Response.Headers.ContentRange.ToString());
        Assert.Equal(Bytes[10..1_500_000], _body.ToArray());
    }

    [Fact]
    public async Task Several_ranges_are_sent_as_parts_with_a_true_length()
    {
        await ContentResponse.SendAsync(_context, await OpenAsync(), [new ByteRange(0, 3), new ByteRange(65, 68)], Stop);

        var boundary = _context.Response.ContentType!.Split("boundary=")[1].Trim('"');
        Assert.Equal(
            $"\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes 0-2/2000000\r\n\r\n\0\u0001\u0002"
            + $"\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes 65-67/2000000\r\n\r\nABC\r\n--{boundary}--\r\n",
            Encoding.ASCII.GetString(_body.ToArray()));
        Assert.Equal(_body.Length, _context.Response.ContentLength);
    }

    [Fact]
    public async Task The_head_alone_has_the_same_headers_and_no_body()
    {
        _context.Request.Method = HttpMethods.Head;
        await ContentResponse.SendAsync(_context, await OpenAsync(), ranges: null, Stop);

        Assert.Equal(Bytes.Length, _context.Response.ContentLength);
        Assert.Equal(0, _body.Length);
    }

    [Fact]
    public async Task A_file_is_given_to_who_sends_files()
    {
        var path = Path.GetTempFileName();
        await File.WriteAllBytesAsync(path, Bytes, Stop);
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.DeleteOnClose);
        var sender = new NotingSender();
        _context.Features.Set<IFileBodySender>(sender);

        await ContentResponse.SendAsync(_context, DownloadOf(new FileReader(file)), [new ByteRange(5, 25)], Stop);

        Assert.Equal([(file, 5L, 20L)], sender.Sent);
        Assert.Equal(0, _body.Length);
    }

    private static async Task<ImageDownload> OpenAsync()
    {
        var store = new MemoryStore("memory", TimeProvider.System);
        var digest = Digest.Of(Bytes);
        await using (var writer = await store.OpenWriterAsync(new StagingKey("a"), Stop))
        {
            await writer.WriteAsync(Bytes, Stop);
            await writer.CommitAsync(digest, Stop);
        }

        return DownloadOf(await store.OpenAsync(digest, Stop));
    }

    private static ImageDownload DownloadOf(ContentReader reader)
    {
        var content = new ContentFacts(Digest.Of(Bytes), Bytes.Length, "", "", DiskFormat.Raw, Bytes.Length);
        var image = new Image
        {
            Id = ImageId.New(),
            Owner = ProjectId.New(),
            CreatedAt = DateTimeOffset.UnixEpoch,
            UpdatedAt = DateTimeOffset.UnixEpoch,
        };
        return new ImageDownload(image, content, reader);
    }

    private sealed class FileReader(FileStream file) : ContentReader
    {
        public override long Length => file.Length;

        public override FileStream? File => file;

        public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
            RandomAccess.ReadAsync(file.SafeFileHandle, buffer, offset, cancellationToken);

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class NotingSender : IFileBodySender
    {
        public List<(FileStream File, long Offset, long Length)> Sent { get; } = [];

        public ValueTask SendAsync(HttpResponse response, FileStream file, long offset, long length, CancellationToken cancellationToken)
        {
            Sent.Add((file, offset, length));
            return ValueTask.CompletedTask;
        }
    }
}
