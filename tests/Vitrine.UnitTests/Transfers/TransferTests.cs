using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Transfers;

namespace Vitrine.UnitTests.Transfers;

public sealed class TransferTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly TransferFailure Failure = new("source-dns", TransferSteps.Connecting, "cause", "remedy", "node-1", Noon);

    private static readonly ContentFacts Facts = new(
        Digest.Of([1]), 10, new string('5', 32), new string('f', 128), DiskFormat.Raw, VirtualSize: 10);

    private static readonly Transfer New = new()
    {
        Id = TransferId.New(),
        Image = ImageId.New(),
        Project = ProjectId.New(),
        Kind = TransferKind.Import,
        Store = "main",
        SourceSecret = "an address",
        CreatedAt = Noon,
    };

    public static TheoryData<string> Changes => [.. ByName.Keys];

    private static Dictionary<string, Func<Transfer, Transfer>> ByName => new()
    {
        ["take"] = t => t.Take("run-2", "node-2", Noon),
        ["reach"] = t => t.Reach(),
        ["connect"] = t => t.Connect(10, 5, "mark", Noon),
        ["advance"] = t => t.Advance(7, 2, Noon),
        ["check"] = t => t.Check(),
        ["unpack"] = t => t.Unpack(7),
        ["settle"] = t => t.Settle(Facts),
        ["release"] = t => t.Release(),
        ["stage"] = t => t.Stage(),
        ["retry"] = t => t.Retry(Failure, Noon),
        ["finish"] = t => t.Finish(Noon),
        ["fail"] = t => t.Fail(Failure, Noon),
        ["cancel"] = t => t.Cancel(Noon),
    };

    [Theory, MemberData(nameof(Changes))]
    public void What_comes_after_the_end_changes_nothing(string change)
    {
        foreach (var over in new[] { New.Finish(Noon), New.Fail(Failure, Noon), New.Cancel(Noon) })
            Assert.Same(over, ByName[change](over));
    }

    [Theory]
    [InlineData("take", TransferState.Running, TransferSteps.Connecting)]
    [InlineData("reach", TransferState.Running, TransferSteps.Connecting)]
    [InlineData("connect", TransferState.Running, TransferSteps.Receiving)]
    [InlineData("advance", TransferState.Running, TransferSteps.Receiving)]
    [InlineData("check", TransferState.Verifying, TransferSteps.Checking)]
    [InlineData("unpack", TransferState.Verifying, TransferSteps.Unpacking)]
    [InlineData("settle", TransferState.Verifying, TransferSteps.Storing)]
    [InlineData("release", TransferState.Queued, TransferSteps.Waiting)]
    [InlineData("retry", TransferState.Retrying, TransferSteps.Waiting)]
    [InlineData("finish", TransferState.Done, TransferSteps.None)]
    [InlineData("fail", TransferState.Failed, TransferSteps.Receiving)]
    [InlineData("cancel", TransferState.Cancelled, TransferSteps.Receiving)]
    public void Each_change_leads_to_its_state_from_wherever_it_comes(string change, TransferState state, string step)
    {
        var receiving = New.Take("run-1", "node-1", Noon).Connect(10, 0, null, Noon).Advance(3, 3, Noon.AddSeconds(1));
        var next = ByName[change](receiving);
        Assert.Equal((state, step), (next.State, next.Step));
        Assert.Equal(state is TransferState.Done or TransferState.Failed or TransferState.Cancelled, next.IsOver);
        Assert.Equal(next.IsOver ? Noon : null, next.EndedAt);
    }

    [Fact]
    public void Each_taking_raises_the_fence_and_remembers_the_first_start()
    {
        var twice = New.Take("run-1", "node-1", Noon).Take("run-2", "node-2", Noon.AddMinutes(1));
        Assert.Equal((2, "run-2", "node-2", Noon), (twice.Fence, twice.Node, twice.NodeName, twice.StartedAt));
    }

    [Fact]
    public void Who_lets_go_is_forgotten()
    {
        var released = New.Take("run-1", "node-1", Noon).Release();
        Assert.Equal((null, null, 1), (released.Node, released.NodeName, released.Fence));
    }

    [Fact]
    public void Attempts_that_get_no_further_are_counted_until_one_does()
    {
        var first = New.Reach().Connect(100, 0, null, Noon).Advance(40, 40, Noon.AddSeconds(1)).Retry(Failure, Noon);
        Assert.Equal((1, 1, 40), (first.Attempt, first.Fruitless, first.Furthest));

        // The source began again and broke off at the same place: bytes came, but nothing was gained.
        var second = first.Reach().Connect(100, 0, null, Noon).Advance(40, 40, Noon.AddSeconds(2)).Retry(Failure, Noon);
        Assert.Equal((2, 2, 40, 80), (second.Attempt, second.Fruitless, second.Furthest, second.Fetched));

        var third = second.Reach().Connect(100, 40, null, Noon).Advance(41, 1, Noon.AddSeconds(3));
        Assert.Equal((3, 0, 41, 81), (third.Attempt, third.Fruitless, third.Furthest, third.Fetched));
    }

    [Fact]
    public void A_retry_has_a_time_until_the_attempt_begins()
    {
        var retrying = New.Retry(Failure, Noon.AddSeconds(8));
        Assert.Equal((Noon.AddSeconds(8), Failure), (retrying.NextAttemptAt, retrying.Failure));
        Assert.Null(retrying.Reach().NextAttemptAt);
        Assert.Null(retrying.Check().NextAttemptAt);
        Assert.Null(retrying.Finish(Noon).NextAttemptAt);
        Assert.Null(retrying.Finish(Noon).Failure);
    }

    [Fact]
    public void An_import_that_failed_or_was_cancelled_is_queued_again_with_what_it_has()
    {
        foreach (var over in new[] { New.Fail(Failure, Noon), New.Cancel(Noon) })
        {
            var again = (over with { Fruitless = 8, Length = 10, Validator = "mark", Furthest = 4 }).Requeue();
            Assert.Equal((TransferState.Queued, 0, null, 10, "mark"), (again.State, again.Fruitless, again.EndedAt, again.Length, again.Validator));
            Assert.Null(again.Node);
        }
    }

    [Fact]
    public void Nothing_else_is_queued_again()
    {
        Assert.Throws<TransferStateException>(() => New.Requeue());
        Assert.Throws<TransferStateException>(() => New.Finish(Noon).Requeue());
        Assert.Throws<TransferStateException>(() => New.Retry(Failure, Noon).Requeue());
        Assert.Throws<TransferStateException>(() => (New.Fail(Failure, Noon) with { Kind = TransferKind.Upload }).Requeue());
        Assert.Throws<TransferStateException>(() => (New.Cancel(Noon) with { Kind = TransferKind.Stream }).Requeue());
    }

    [Theory]
    [InlineData("main", null)]
    [InlineData("other", "main")]
    public void What_is_staged_becomes_an_import_that_has_all_its_bytes(string store, string? from)
    {
        var sending = (New with { Kind = TransferKind.Stream, SourceSecret = null, Length = 7 }).Take("run", "node", Noon).Advance(7, 7, Noon);
        Assert.Throws<TransferStateException>(() => sending.Import(user: null, "request", [store]));

        var staged = sending.Stage();
        Assert.Equal((true, TransferState.Queued, (string?)null), (staged.IsStaged, staged.State, staged.Node));
        var import = staged.Import(new UserId("ann"), "request", [store, "third"]);
        Assert.Equal((TransferKind.Import, store, from, 7L), (import.Kind, import.Store, import.SourceStore, import.Length));
        Assert.Equal((new UserId("ann"), "request", "third"), (import.User, import.RequestId, Assert.Single(import.FurtherStores)));
        Assert.False(import.IsStaged);

        // Nobody but the client has the bytes.
        Assert.Throws<TransferStateException>(() => import.Fail(Failure, Noon).Requeue());
    }

    [Fact]
    public void A_note_is_made_once()
    {
        var noted = New.Note("one").Note("two");
        Assert.Same(noted, noted.Note("one"));
        Assert.Equal(["one", "two"], noted.Notes);
    }

    [Fact]
    public void The_rate_follows_what_comes_and_neither_jumps_nor_lags()
    {
        var transfer = New.Connect(1_000_000, 0, null, Noon);
        var time = Noon;
        for (var second = 1; second <= 60; second++)
            transfer = transfer.Advance(second * 1000, 1000, time = time.AddSeconds(1));
        Assert.Equal(1000, transfer.Rate, precision: 3);

        var faster = transfer.Advance(transfer.Moved + 9000, 9000, time.AddSeconds(1));
        Assert.InRange(faster.Rate, 1500, 4000);

        for (var second = 1; second <= 30; second++)
            faster = faster.Advance(faster.Moved + 9000, 9000, time = time.AddSeconds(1));
        Assert.InRange(faster.Rate, 8900, 9000);
    }

    [Fact]
    public void The_rate_is_never_absurd_whatever_the_clock_does()
    {
        var random = new Random(3);
        var transfer = New.Connect(null, 0, null, Noon);
        var time = Noon;
        for (var i = 0; i < 10_000; i++)
        {
            var fetched = random.Next(0, 1000);
            transfer = transfer.Advance(transfer.Moved + fetched, fetched, time = time.AddMilliseconds(random.Next(-500, 2000)));
            Assert.True(double.IsFinite(transfer.Rate) && transfer.Rate >= 0, $"{transfer.Rate}");
        }
    }

    [Theory]
    [InlineData(null, 0, 100.0, null)]
    [InlineData(1000L, 0, 0.0, null)]
    [InlineData(1000L, 0, 0.5, null)]
    [InlineData(1000L, 0, 100.0, 10.0)]
    [InlineData(1000L, 900, 100.0, 1.0)]
    [InlineData(1000L, 1000, 100.0, 0.0)]
    [InlineData(1000L, 1100, 100.0, 0.0)]
    [InlineData(long.MaxValue, 0, 1.0, 31_536_000.0)]
    public void The_time_left_is_told_where_it_can_be(long? length, long moved, double rate, double? seconds)
    {
        var transfer = New with { State = TransferState.Running, Length = length, Moved = moved, Rate = rate };
        Assert.Equal(seconds, transfer.TimeLeft?.TotalSeconds);
        Assert.Null(transfer.Cancel(Noon).TimeLeft);
    }
}
