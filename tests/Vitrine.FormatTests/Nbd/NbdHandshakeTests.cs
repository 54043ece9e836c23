using System.Text;
using static Vitrine.FormatTests.Nbd.NbdClient;

namespace Vitrine.FormatTests.Nbd;

public sealed class NbdHandshakeTests : IAsyncDisposable
{
    private const long Size = 1_000_001;
    private const ushort Flags = 0b1_1000_0111; // has flags, read only, flush, no fragments, many connections

    private readonly NbdHost _host = new(() => new PatternDisk(Size));

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    // Each is refused and leaves the handshake where it was.
    public static TheoryData<string, uint, byte[], uint> Refusals => new()
    {
        { "an unknown option",              99,               [],                                                     Unsupported },
        { "an unknown option with data",    77,               new byte[500],                                          Unsupported },
        { "peeking at exports",             PeekExport,       [],                                                     Unsupported },
        { "extended headers",               ExtendedHeaders,  [],                                                     Unsupported },
        { "TLS where there is none",        StartTls,         [],                                                     Policy },
        { "TLS with data",                  StartTls,         [1],                                                    Invalid },
        { "a list with data",               List,             [1],                                                    Invalid },
        { "structured replies with data",   StructuredReply,  [1],                                                    Invalid },
        { "info without data",              Info,             [],                                                     Invalid },
        { "info of a name cut short",       Info,             [0, 0, 0, 9, 1],                                        Invalid },
        { "info of an endless name",        Info,             [0xff, 0xff, 0xff, 0xff, 0, 0],                         Invalid },
        { "info without its count",         Info,             Counted("disk"),                                        Invalid },
        { "info with a wrong count",        Info,             [.. Counted("disk"), 0, 2, 0, 0],                       Invalid },
        { "info with more than it counts",  Info,             [.. Counted("disk"), 0, 0, 0, 0],                       Invalid },
        { "info of a name that is no text", Info,             [0, 0, 0, 2, 0xc3, 0x28, 0, 0],                         Invalid },
        { "info of no such export",         Info,             Export("nothing"),                                      Unknown },
        { "info of the default export",     Info,             Export(""),                                             Unknown },
        { "info of one that is broken",     Info,             Export("broken"),                                       Unknown },
        { "going to no such export",        Go,               Export("nothing"),                                      Unknown },
        { "a name longer than allowed",     Go,               Export(new string('n', 4097)),                          Invalid },
        { "data longer than allowed",       Go,               new byte[8193],                                         TooBig },
        { "contexts before their time",     SetMetaContext,   Contexts("disk", "base:allocation"),                    Invalid },
        { "a list of contexts too early",   ListMetaContext,  Contexts("disk"),                                       Invalid },
    };

    public static TheoryData<string, uint, byte[], uint> ContextRefusals => new()
    {
        { "no data",                        SetMetaContext,   [],                                                     Invalid },
        { "a name only",                    SetMetaContext,   Counted("disk"),                                        Invalid },
        { "a wrong count",                  SetMetaContext,   [.. Counted("disk"), .. Big(2u), .. Counted("base:")],  Invalid },
        { "an endless count",               SetMetaContext,   [.. Counted("disk"), .. Big(uint.MaxValue)],            Invalid },
        { "more than it counts",            ListMetaContext,  [.. Contexts("disk"), 0],                               Invalid },
        { "no such export",                 SetMetaContext,   Contexts("nothing", "base:allocation"),                 Unknown },
        { "no such export to list",         ListMetaContext,  Contexts("nothing"),                                    Unknown },
    };

    [Theory, MemberData(nameof(Refusals))]
    public async Task An_option_is_refused_and_the_client_may_go_on(string what, uint option, byte[] data, uint expected)
    {
        await using var client = await ConnectAsync(_host.Unix);
        await client.GreetAsync();

        Assert.True(expected == (await client.AskAsync(option, data)).Single().Type, what);
        Assert.Equal(Ack, (await client.AskAsync(Go, Export("disk"))).Last().Type);
    }

    [Theory, MemberData(nameof(ContextRefusals))]
    public async Task A_question_for_contexts_is_refused_and_the_client_may_go_on(string what, uint option, byte[] data, uint expected)
    {
        await using var client = await ConnectAsync(_host.Unix);
        await client.GreetAsync();
        await client.AskAsync(StructuredReply);

        Assert.True(expected == (await client.AskAsync(option, data)).Single().Type, what);
        Assert.Equal(Ack, (await client.AskAsync(Go, Export("disk"))).Last().Type);
    }

    [Fact]
    public async Task The_server_speaks_the_fixed_newstyle_without_zeroes()
    {
        await using var client = await ConnectAsync(_host.Tcp);
        Assert.Equal(3, await client.GreetAsync());
    }

    [Fact]
    public async Task An_export_is_described_as_far_as_the_client_asks()
    {
        await using var client = await ConnectAsync(_host.Unix);
        await client.GreetAsync();

        var replies = await client.AskAsync(Info, Export("disk", 1, 2, 3, 1000));

        Assert.Equal([3, 3, 3, 3, Ack], replies.Select(r => r.Type));
        Assert.Equal([0, 0, .. Big((ulong)Size), .. Big(Flags)], replies[0].Data);
        Assert.Equal([0, 1, .. "disk"u8], replies[1].Data);
        Assert.Equal([0, 2, .. Encoding.UTF8.GetBytes(NbdHost.Description)], replies[2].Data);
        Assert.Equal([0, 3, .. Big(1u), .. Big(4096u), .. Big(32u << 20)], replies[3].Data);
    }

    [Fact]
    public async Task Exports_are_listed_as_far_as_they_may_be()
    {
        await using var client = await ConnectAsync(_host.Unix);
        await client.GreetAsync();

        var replies = await client.AskAsync(List);

        Assert.Equal([2, 2, Ack], replies.Select(r => r.Type));
        Assert.Equal([.. Counted("disk"), .. Encoding.UTF8.GetBytes(NbdHost.Description)], replies[0].Data);
    }

    [Theory]
    [InlineData(3u, 10)]
    [InlineData(1u, 134)]
    [InlineData(0u, 134)]
    public async Task The_oldest_way_to_an_export_is_open(uint clientFlags, int length)
    {
        await using var client = await ConnectAsync(_host.Unix);
        await client.GreetAsync(clientFlags);
        await client.SendAsync(Option(ExportName, "disk"u8));
        // A request right behind it is answered too, which tells how long the first answer was.
        await client.SendAsync(Request(Read, 3, 9));

        var answer = await client.ReceiveAsync(length);
        Assert.Equal([.. Big((ulong)Size), .. Big(Flags), .. new byte[length - 10]], answer);
        Assert.Equal(PatternDisk.Bytes(3, 9), (await client.ReceiveSimpleAsync(9)).Data);
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("broken")]
    public async Task The_oldest_way_to_no_export_ends_the_connection(string name)
    {
        await using var client = await ConnectAsync(_host.Unix);
        await client.GreetAsync();
        await client.SendAsync(Option(ExportName, Encoding.UTF8.GetBytes(name)));
        await client.CloseAsync();
    }

    public static TheoryData<string, byte[]> Breaches => new()
    {
        { "flags that were not offered",  [0, 0, 0, 7] },
        { "an option without its magic",  [0, 0, 0, 3, .. new byte[16]] },
        { "an option of 4 GiB",           [0, 0, 0, 3, .. "IHAVEOPT"u8, .. Big(Go), .. Big(uint.MaxValue)] },
        { "a plain newstyle client's go", [0, 0, 0, 0, .. Option(Go, Export("disk"))] },
        { "an HTTP request",              [.. "GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8] },
        { "a leaving client",             [0, 0, 0, 3, .. Option(Abort, [])] },
    };

    [Theory, MemberData(nameof(Breaches))]
    public async Task The_connection_ends_after(string what, byte[] bytes)
    {
        Assert.NotEmpty(what);
        await using var client = await ConnectAsync(_host.Unix);
        await client.SendAsync(bytes);
        await client.CloseAsync();
    }

    [Fact]
    public async Task Leaving_is_acknowledged()
    {
        await using var client = await ConnectAsync(_host.Unix);
        await client.GreetAsync();
        Assert.Equal(Ack, (await client.AskAsync(Abort)).Single().Type);
        await client.CloseAsync();
    }

    [Fact]
    public async Task Contexts_are_listed_and_chosen()
    {
        await using var client = await ConnectAsync(_host.Unix);
        await client.GreetAsync();
        await client.AskAsync(StructuredReply);
        byte[] listed = [0, 0, 0, 0, .. "base:allocation"u8];
        byte[] chosen = [0, 0, 0, 1, .. "base:allocation"u8];

        Assert.Equal(listed, (await client.AskAsync(ListMetaContext, Contexts("disk")))[0].Data);
        Assert.Equal(listed, (await client.AskAsync(ListMetaContext, Contexts("disk", "x-other:a", "base:")))[0].Data);
        Assert.Equal(Ack, (await client.AskAsync(ListMetaContext, Contexts("disk", "qemu:dirty-bitmap:a"))).Single().Type);
        Assert.Equal(chosen, (await client.AskAsync(SetMetaContext, Contexts("disk", "x-other:a", "base:allocation")))[0].Data);
        Assert.Equal(Ack, (await client.AskAsync(SetMetaContext, Contexts("disk", "base:"))).Single().Type);
    }

    [Theory]
    [InlineData("disk", "disk", 0u)]
    [InlineData("other", "disk", InvalidArgument)]
    public async Task Contexts_hold_for_the_export_they_were_chosen_for(string chosenFor, string opened, uint expected)
    {
        await using var client = await ConnectAsync(_host.Unix);
        await client.GreetAsync();
        await client.AskAsync(StructuredReply);
        await client.AskAsync(SetMetaContext, Contexts(chosenFor, "base:allocation"));
        await client.AskAsync(Go, Export(opened));

        await client.SendAsync(Request(BlockStatus, 0, 512));
        var chunk = await client.ReceiveChunkAsync();
        Assert.Equal(expected, chunk.Type == Chunk.BlockStatus ? 0 : chunk.Error);
    }

    [Fact]
    public async Task An_export_that_several_options_name_is_opened_once_and_given_back()
    {
        await using (var client = await ConnectAsync(_host.Unix))
        {
            await client.GreetAsync();
            await client.AskAsync(StructuredReply);
            await client.AskAsync(SetMetaContext, Contexts("disk", "base:allocation"));
            await client.AskAsync(Info, Export("disk"));
            await client.AskAsync(Go, Export("disk"));
            Assert.Equal((1, 1), (_host.Searches, _host.Leases));
            await client.SendAsync(Request(Disconnect));
            await client.CloseAsync();
        }

        await using var other = await ConnectAsync(_host.Unix);
        await other.GreetAsync();
        await other.AskAsync(Info, Export("disk"));
        await other.AskAsync(Info, Export("other"));
        Assert.Equal(1, _host.Leases);
    }

    [Fact]
    public async Task Options_without_end_end_the_connection()
    {
        await using var client = await ConnectAsync(_host.Unix);
        await client.GreetAsync();
        var flood = Enumerable.Repeat(Option(99, []), 10_000).SelectMany(o => o).ToArray();
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            // One of these meets a closed connection.
            for (var i = 0; i < 100; i++)
                await client.SendAsync(flood);
        });
    }

    [Fact]
    public async Task Options_may_come_byte_by_byte_and_many_at_once()
    {
        byte[] all = [.. Option(99, new byte[3]), .. Option(StructuredReply, []), .. Option(Go, Export("disk")), .. Request(Read, 5, 6)];
        await using var client = await ConnectAsync(_host.Tcp);
        await client.GreetAsync();
        foreach (var b in all)
            await client.SendAsync(new[] { b });

        Assert.Equal(Unsupported, (await client.ReceiveOptionAsync(99)).Single().Type);
        Assert.Equal(Ack, (await client.ReceiveOptionAsync(StructuredReply)).Single().Type);
        Assert.Equal(Ack, (await client.ReceiveOptionAsync(Go)).Last().Type);
        Assert.Equal(PatternDisk.Bytes(5, 6), (await client.ReceiveChunkAsync()).Data[8..]);
    }
}
