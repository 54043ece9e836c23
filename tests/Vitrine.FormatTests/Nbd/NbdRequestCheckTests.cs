using Vitrine.Nbd;
using Vitrine.Nbd.Wire;

namespace Vitrine.FormatTests.Nbd;

public sealed class NbdRequestCheckTests
{
    // The export of these is 1 MiB long.
    [Theory]
    [InlineData(0, 0, 0, 1_048_576, 0)]
    [InlineData(0, 0, 1, 1_048_576, 22)]
    [InlineData(0, 0, 1_048_575, 1, 0)]
    [InlineData(0, 0, 1_048_576, 0, 0)]
    [InlineData(0, 0, 1_048_576, 1, 22)]
    [InlineData(0, 0, 1_048_577, 0, 22)]
    [InlineData(0, 0, ulong.MaxValue, 1, 22)]
    [InlineData(0, 0, 0, uint.MaxValue, 22)]
    [InlineData(0, 4, 0, 262_144, 0)] // unfragmented
    [InlineData(0, 4, 0, 262_145, 75)]
    [InlineData(0, 1, 0, 512, 22)] // FUA was not offered
    [InlineData(0, 8, 0, 512, 22)]
    [InlineData(1, 0, 0, 512, 1)]
    [InlineData(1, 0, ulong.MaxValue, 512, 1)]
    [InlineData(4, 0, 0, 512, 1)]
    [InlineData(6, 3, 0, 512, 1)]
    [InlineData(3, 0, 0, 0, 0)]
    [InlineData(3, 4, 0, 0, 22)]
    [InlineData(5, 0, 0, 512, 22)]
    [InlineData(7, 0, 0, 1_048_576, 0)]
    [InlineData(7, 8, 0, 1, 0)]
    [InlineData(7, 8, 0, 0, 22)]
    [InlineData(7, 4, 0, 1, 22)]
    [InlineData(7, 0, 1, 1_048_576, 22)]
    [InlineData(8, 0, 0, 1, 22)]
    [InlineData(99, 0, 0, 1, 22)]
    public void A_request_is_refused_before_it_reaches_the_export(ushort command, ushort flags, ulong offset, uint length, uint expected)
    {
        var request = new NbdRequest((NbdCommandFlags)flags, (NbdCommand)command, Cookie: 0, offset, length);
        Assert.Equal((NbdError)expected, NbdRequestCheck.Check(request, Session(1 << 20)));
    }

    [Fact]
    public void A_read_is_not_longer_than_clients_were_told()
    {
        var session = Session(1L << 40);
        Assert.Equal(NbdError.None, Check(32 << 20));
        Assert.Equal(NbdError.Invalid, Check((32 << 20) + 1));

        NbdError Check(uint length) => NbdRequestCheck.Check(new NbdRequest(NbdCommandFlags.None, NbdCommand.Read, 0, 0, length), session);
    }

    [Fact]
    public void What_was_not_agreed_upon_is_refused()
    {
        var session = Session(1 << 20) with { StructuredReplies = false, BlockStatus = false };
        Assert.Equal(NbdError.Invalid, NbdRequestCheck.Check(new NbdRequest(NbdCommandFlags.None, NbdCommand.BlockStatus, 0, 0, 1), session));
        Assert.Equal(NbdError.Invalid, NbdRequestCheck.Check(new NbdRequest(NbdCommandFlags.DontFragment, NbdCommand.Read, 0, 0, 1), session));
    }

    private static NbdSession Session(long size) => new(new DiskExport("disk", new PatternDisk(size)), StructuredReplies: true, BlockStatus: true);
}
