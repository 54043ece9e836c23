using static Vitrine.FormatTests.Nbd.NbdClient;

namespace Vitrine.FormatTests.Nbd;

public sealed class NbdTransmissionTests
{
    private const int Stripe = PatternDisk.Stripe;
    private const long Size = 64L << 20;
    private const int Piece = 256 * 1024;

    private static NbdHost Host() => new(() => new PatternDisk(Size));

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 4096)]
    [InlineData(511, 513)]
    [InlineData(Stripe - 1, 2)]
    [InlineData(Stripe, Stripe)]
    [InlineData(0, Piece)]
    [InlineData(Size - 1, 1)]
    [InlineData(5, Piece + 1)]
    [InlineData(Stripe, 1_000_003)]
    [InlineData(Size - (32 << 20), 32 << 20)]
    public async Task Any_range_can_be_read(long offset, int length)
    {
        await using var host = Host();
        await using var client = await OpenAsync(host.Unix);
        await using var simple = await OpenAsync(host.Tcp, structured: false);

        PatternDisk.AssertHas(offset, length, await client.ReadAsync((ulong)offset, (uint)length));
        await simple.SendAsync(Request(Read, (ulong)offset, (uint)length));
        PatternDisk.AssertHas(offset, length, (await simple.ReceiveSimpleAsync(length)).Data);
    }

    [Fact]
    public async Task Zeros_are_sent_as_holes()
    {
        await using var host = Host();
        await using var client = await OpenAsync(host.Unix);
        await client.SendAsync(Request(Read, Stripe, 2 * Stripe, cookie: 99));

        var hole = await client.ReceiveChunkAsync();
        Assert.Equal((true, Chunk.OffsetHole, 99UL), (hole.IsLast, hole.Type, hole.Cookie));
        Assert.Equal([.. Big((ulong)Stripe), .. Big(2u * Stripe)], hole.Data);
    }

    [Fact]
    public async Task A_client_that_wants_no_fragments_gets_one_chunk()
    {
        await using var host = Host();
        await using var client = await OpenAsync(host.Unix);
        await client.SendAsync(Request(Read, 1, Piece, flags: 4));
        var chunk = await client.ReceiveChunkAsync();
        Assert.Equal((true, Chunk.OffsetData, 8 + Piece), (chunk.IsLast, chunk.Type, chunk.Data.Length));

        await client.SendAsync(Request(Read, 1, Piece + 1, flags: 4));
        Assert.Equal(Overflow, (await client.ReceiveChunkAsync()).Error);
    }

    // Structured replies are agreed upon; only reads and block status are answered so.
    [Theory]
    [InlineData(Read, 0UL, 0u, InvalidArgument, 1)]
    [InlineData(Read, (ulong)Size, 1u, InvalidArgument, 0)]
    [InlineData(Read, ulong.MaxValue, 4096u, InvalidArgument, 0)]
    [InlineData(Read, 0UL, (32u << 20) + 1, InvalidArgument, 0)]
    [InlineData(Read, 0UL, uint.MaxValue, InvalidArgument, 0)]
    [InlineData(BlockStatus, 0UL, 0u, InvalidArgument, 0)]
    [InlineData(BlockStatus, (ulong)Size - 511, 512u, InvalidArgument, 0)]
    public async Task An_impossible_request_is_refused_and_the_connection_goes_on(ushort command, ulong offset, uint length, uint error, int empty)
    {
        await using var host = Host();
        await using var client = await OpenAsync(host.Unix, status: true);
        await client.SendAsync(Request(command, offset, length, cookie: 5));

        var chunk = await client.ReceiveChunkAsync();
        Assert.Equal((true, 5UL), (chunk.IsLast, chunk.Cookie));
        if (empty == 1)
            Assert.Equal(Chunk.None, chunk.Type);
        else
            Assert.Equal((Chunk.Failure, error), (chunk.Type, chunk.Error));
        Assert.Equal(PatternDisk.Bytes(8, 8), await client.ReadAsync(8, 8));
    }

    [Theory]
    [InlineData(Trim, 512u, 0, Permission)]
    [InlineData(WriteZeroes, 512u, 0, Permission)]
    [InlineData(Flush, 0u, 0, 0u)]
    [InlineData(Cache, 512u, 0, InvalidArgument)]
    [InlineData(8, 512u, 0, InvalidArgument)]
    [InlineData(0x7fff, 512u, 0, InvalidArgument)]
    [InlineData(Flush, 0u, 0x80, InvalidArgument)]
    public async Task Other_commands_are_answered_simply(ushort command, uint length, ushort flags, uint expected)
    {
        await using var host = Host();
        await using var client = await OpenAsync(host.Unix);
        await client.SendAsync(Request(command, 0, length, flags, cookie: 11));
        Assert.Equal(new { Error = expected, Cookie = 11UL }, await Answer(client));
        Assert.Equal(PatternDisk.Bytes(8, 8), await client.ReadAsync(8, 8));

        static async Task<object> Answer(NbdClient client) =>
            await client.ReceiveSimpleAsync() is var reply ? new { reply.Error, reply.Cookie } : throw new InvalidOperationException();
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    [InlineData(100_000u)]
    [InlineData(32u << 20)]
    public async Task A_write_is_refused_once_its_data_are_read_over(uint length)
    {
        await using var host = Host();
        await using var client = await OpenAsync(host.Unix);
        await client.SendAsync(Request(Write, 0, length));
        await client.SendAsync(new byte[length]);
        Assert.Equal(Permission, (await client.ReceiveSimpleAsync()).Error);
        Assert.Equal(PatternDisk.Bytes(8, 8), await client.ReadAsync(8, 8));
    }

    [Theory]
    [InlineData("a write longer than agreed")]
    [InlineData("no request")]
    [InlineData("a reply")]
    public async Task What_cannot_be_understood_ends_the_connection(string what)
    {
        byte[] bytes = what switch
        {
            "a write longer than agreed" => Request(Write, 0, (32 << 20) + 1),
            "a reply" => [.. Big(0x6744_6698u), .. new byte[24]],
            _ => new byte[28],
        };
        await using var host = Host();
        await using var other = await OpenAsync(host.Unix);
        await using var client = await OpenAsync(host.Unix);
        await client.SendAsync(bytes);
        await client.CloseAsync();
        Assert.Equal(PatternDisk.Bytes(8, 8), await other.ReadAsync(8, 8));
    }

    [Fact]
    public async Task Block_status_tells_data_from_zeros_and_from_nothing()
    {
        await using var host = Host();
        await using var client = await OpenAsync(host.Unix, status: true);

        await client.SendAsync(Request(BlockStatus, 512, 4 * Stripe, cookie: 3));
        var all = await client.ReceiveChunkAsync();
        Assert.Equal((true, Chunk.BlockStatus, 3UL, 1u), (all.IsLast, all.Type, all.Cookie, all.Error));
        Assert.Equal([(Stripe - 512, 0u), (Stripe, 2u), (Stripe, 3u), (Stripe, 0u), (512u, 2u)], all.Descriptors);

        await client.SendAsync(Request(BlockStatus, Stripe, 4 * Stripe, flags: 8));
        Assert.Equal([((uint)Stripe, 2u)], (await client.ReceiveChunkAsync()).Descriptors);
    }

    [Fact]
    public async Task A_long_answer_of_block_status_ends_early()
    {
        const long Long = 1L << 31;
        await using var host = new NbdHost(() => new PatternDisk(Long));
        await using var client = await OpenAsync(host.Unix, status: true);
        await client.SendAsync(Request(BlockStatus, 0, (uint)Long));
        Assert.Equal(2048, (await client.ReceiveChunkAsync()).Descriptors.Count());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_thousand_requests_may_be_under_way(bool isLate)
    {
        await using var host = new NbdHost(() => new PatternDisk(Size, isLate ? async _ => await Task.Yield() : null));
        await using var client = await OpenAsync(host.Tcp, structured: false);
        await client.SendAsync(Enumerable.Range(0, 1000).SelectMany(i => Request(Read, Offset((ulong)i), 512, cookie: (ulong)i)).ToArray());

        var seen = new HashSet<ulong>();
        for (var i = 0; i < 1000; i++)
        {
            var reply = await client.ReceiveSimpleAsync(512);
            Assert.True(seen.Add(reply.Cookie));
            Assert.Equal(PatternDisk.Bytes((long)Offset(reply.Cookie), 512), reply.Data);
        }

        static ulong Offset(ulong cookie) => cookie * 60_000;
    }

    [Fact]
    public async Task A_late_read_does_not_hold_up_others()
    {
        var gate = new TaskCompletionSource();
        await using var host = new NbdHost(() => new PatternDisk(Size, offset => offset == 0 ? gate.Task : Task.CompletedTask));
        await using var client = await OpenAsync(host.Unix);
        await client.SendAsync(new[] { Request(Read, 0, 512, cookie: 1), Request(Read, 512, 512, cookie: 2) }.SelectMany(r => r).ToArray());

        Assert.Equal(2UL, (await client.ReceiveChunkAsync()).Cookie);
        gate.SetResult();
        Assert.Equal(1UL, (await client.ReceiveChunkAsync()).Cookie);
    }

    [Fact]
    public async Task A_long_simple_reply_is_not_mixed_with_others()
    {
        var gate = new TaskCompletionSource();
        await using var host = new NbdHost(() => new PatternDisk(Size, offset => offset == 0 ? gate.Task : Task.CompletedTask));
        await using var client = await OpenAsync(host.Unix, structured: false);
        await client.SendAsync(new[] { Request(Read, 0, 512, cookie: 1), Request(Read, 512, 3 * Piece, cookie: 2) }.SelectMany(r => r).ToArray());
        gate.SetResult();

        Assert.Equal(1UL, (await client.ReceiveSimpleAsync(512)).Cookie);
        var reply = await client.ReceiveSimpleAsync(3 * Piece);
        Assert.Equal(2UL, reply.Cookie);
        PatternDisk.AssertHas(512, 3 * Piece, reply.Data);
    }

    // The disk fails where the second piece of a long read begins.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_disk_that_fails_is_an_error_of_input(bool isLate)
    {
        await using var host = new NbdHost(() => new PatternDisk(Size, FailAt(Piece, isLate)));
        await using var client = await OpenAsync(host.Unix);
        await client.SendAsync(Request(Read, Piece, 512));
        Assert.Equal(InputOutput, (await client.ReceiveChunkAsync()).Error);

        await client.SendAsync(Request(Read, 0, 2 * Piece));
        Assert.Equal((false, Chunk.OffsetData), await client.ReceiveChunkAsync() is var first ? (first.IsLast, first.Type) : default);
        var last = await client.ReceiveChunkAsync();
        Assert.Equal((true, Chunk.FailureOffset, InputOutput), (last.IsLast, last.Type, last.Error));
        Assert.Equal(Big((ulong)Piece), last.Data[6..]);
        Assert.Equal(PatternDisk.Bytes(8, 8), await client.ReadAsync(8, 8));
    }

    [Fact]
    public async Task A_long_simple_reply_that_fails_halfway_ends_the_connection()
    {
        await using var host = new NbdHost(() => new PatternDisk(Size, FailAt(Piece, isLate: false)));
        await using var client = await OpenAsync(host.Unix, structured: false);
        await client.SendAsync(Request(Read, Piece, 2 * Piece));
        Assert.Equal(InputOutput, (await client.ReceiveSimpleAsync()).Error);

        await client.SendAsync(Request(Read, 0, 2 * Piece));
        await client.CloseAsync();
    }

    [Fact]
    public async Task Requests_may_come_byte_by_byte()
    {
        await using var host = Host();
        await using var client = await OpenAsync(host.Tcp);
        foreach (var b in Request(Read, 100, 5))
            await client.SendAsync(new[] { b });
        Assert.Equal(PatternDisk.Bytes(100, 5), (await client.ReceiveChunkAsync()).Data[8..]);
    }

    [Fact]
    public async Task What_was_asked_before_the_client_leaves_is_answered()
    {
        var gate = new TaskCompletionSource();
        await using var host = new NbdHost(() => new PatternDisk(Size, _ => gate.Task));
        await using var client = await OpenAsync(host.Unix);
        await client.SendAsync(new[] { Request(Read, 0, 512), Request(Disconnect), Request(Read, 0, 512) }.SelectMany(r => r).ToArray());
        gate.SetResult();
        Assert.Equal(PatternDisk.Bytes(0, 512), (await client.ReceiveChunkAsync()).Data[8..]);
        await client.CloseAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(27)]
    [InlineData(28)]
    [InlineData(5000)]
    public async Task A_client_may_vanish_at_any_byte(int after)
    {
        await using var host = Host();
        await using (var client = await OpenAsync(host.Unix))
        {
            var bytes = Enumerable.Repeat(Request(Read, 0, 32 << 20), 200).SelectMany(r => r).ToArray();
            await client.SendAsync(bytes.AsMemory(0, after));
        }

        await using var other = await OpenAsync(host.Unix);
        Assert.Equal(PatternDisk.Bytes(8, 8), await other.ReadAsync(8, 8));
    }

    private static Func<long, Task> FailAt(long place, bool isLate) => async offset =>
    {
        if (isLate)
            await Task.Yield();
        if (offset == place)
            throw new IOException("The disk has a scratch.");
    };
}
