using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Vitrine.Server.Rest;

namespace Vitrine.ApiTests.Rest;

public sealed class ChecksummedBodyTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(ChecksummedBody.FirstPiece)]
    [InlineData(ChecksummedBody.FirstPiece + 1)]
    [InlineData(1_000_003)]
    [InlineData(ChecksummedBody.MaxLength)]
    public async Task Bytes_of_any_length_come_through_as_they_were(int length)
    {
        var bytes = RandomNumberGenerator.GetBytes(length);
        await using var body = Over(new ThriftyBody(bytes), bytes, length);
        using var read = new MemoryStream();
        await body.CopyToAsync(read, Stop);
        Assert.True(bytes.AsSpan().SequenceEqual(read.ToArray()));
    }

    [Fact]
    public async Task Room_is_made_for_as_much_again_as_has_come_and_no_more()
    {
        var bytes = RandomNumberGenerator.GetBytes(1_000_003);
        var sent = new ThriftyBody(bytes);
        await using var body = Over(sent, bytes, bytes.Length);
        await body.ReadExactlyAsync(new byte[bytes.Length], Stop);
        Assert.All(sent.Asked, read => Assert.InRange(read.Room, 1, Math.Max(ChecksummedBody.FirstPiece, read.Come)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(ChecksummedBody.FirstPiece)]
    [InlineData(999_999)]
    public async Task A_body_that_ends_too_early_gives_nothing(int sent)
    {
        var bytes = RandomNumberGenerator.GetBytes(1_000_000);
        await using var body = Over(new ThriftyBody(bytes[..sent]), bytes, bytes.Length);
        await Assert.ThrowsAsync<EndOfStreamException>(() => body.CopyToAsync(Stream.Null, Stop));
    }

    private static Stream Over(Stream sent, byte[] bytes, int length)
    {
        var request = new DefaultHttpContext().Request;
        request.ContentLength = length;
        request.Headers["Upload-Checksum"] = $"sha256 {Convert.ToBase64String(SHA256.HashData(bytes))}";
        return ChecksummedBody.Over(sent, request);
    }

    /// <summary>Gives some at a time, and remembers how much room there was when so much had come.</summary>
    private sealed class ThriftyBody(byte[] bytes) : MemoryStream(bytes)
    {
        private const int Most = 50_000;

        public List<(long Come, int Room)> Asked { get; } = [];

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Asked.Add((Position, buffer.Length));
            return base.ReadAsync(buffer[..Math.Min(Most, buffer.Length)], cancellationToken);
        }
    }
}
