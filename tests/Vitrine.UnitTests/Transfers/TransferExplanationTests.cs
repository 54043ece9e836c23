using Vitrine.Access;
using Vitrine.Images;
using Vitrine.Nodes;
using Vitrine.Transfers;

namespace Vitrine.UnitTests.Transfers;

public sealed class TransferExplanationTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly Node Alive = new("node-1", "run-1", "default", [NodeRole.Transfer], "http://node-1", "1", Noon, Noon) { Stores = ["main"] };

    private static readonly TransferFailure Failure = new(
        "source-dns", TransferSteps.Connecting, "The name is unknown.", "Check the name.", "node-1", Noon);

    private static readonly Transfer New = new()
    {
        Id = TransferId.New(),
        Image = ImageId.New(),
        Project = ProjectId.New(),
        Kind = TransferKind.Import,
        Store = "main",
        CreatedAt = Noon,
    };

    private static readonly Transfer Receiving =
        New.Take("run-1", "node-1", Noon.AddSeconds(-10)).Reach().Connect(10, 0, null, Noon.AddSeconds(-7));

    [Fact]
    public void A_queued_import_waits_its_turn() => AssertSays(New, "waits its turn", cause: null, remedy: null);

    [Fact]
    public void What_keeps_a_queued_transfer_from_beginning_is_said()
    {
        var explained = TransferExplanation.Of(New, [], new TransferWait("no-node", "No node is there.", "Start one."), Noon);
        Assert.Equal(("The transfer waits.", "No node is there.", "Start one."), (explained.Summary, explained.Cause, explained.Remedy));
    }

    [Fact]
    public void A_queued_upload_waits_for_its_client() =>
        AssertSays(New with { Kind = TransferKind.Upload }, "waits for the client", null, "Go on with the upload: it continues where it was.");

    [Fact]
    public void A_running_transfer_says_who_does_what_and_when_the_last_byte_came()
    {
        AssertSays(Receiving, "Node node-1 is receiving; the last byte came 7 s ago.", null, null);
        AssertSteps("done done current pending pending", Receiving);
    }

    [Fact]
    public void A_transfer_that_looks_again_at_its_bytes_is_at_its_connecting() =>
        AssertSteps("done current pending pending pending", Receiving with { Step = TransferSteps.Rereading });

    [Fact]
    public void A_transfer_that_unpacks_is_at_its_checking_and_says_how_far_it_is()
    {
        AssertSays(Receiving.Check().Unpack(7), "node node-1 has unpacked 7 bytes", null, null);
        AssertSteps("done done done current pending", Receiving.Check().Unpack(7));
    }

    [Fact]
    public void A_transfer_whose_node_is_silent_waits_to_be_taken_over()
    {
        foreach (var transfer in new[] { Receiving, Receiving.Check() })
        {
            var explained = TransferExplanation.Of(transfer, [Alive with { Instance = "run-2" }], wait: null, Noon);
            Assert.Contains("waits to be taken over", explained.Summary, StringComparison.Ordinal);
            Assert.Equal("Node node-1 gives no sign of life.", explained.Cause);
            Assert.NotNull(explained.Remedy);
        }
    }

    [Fact]
    public void A_transfer_that_is_checked_says_so()
    {
        AssertSays(Receiving.Check(), "All bytes are here; node node-1 is checking.", null, null);
        AssertSteps("done done done current pending", Receiving.Check());
    }

    [Fact]
    public void A_retrying_transfer_says_what_it_ran_into_and_when_it_goes_on()
    {
        var retrying = Receiving.Retry(Failure, Noon.AddSeconds(8));
        AssertSays(retrying, "Attempt 1 was interrupted; the next begins in 8 s.", Failure.Cause, Failure.Remedy);
        AssertSays(retrying with { NextAttemptAt = Noon }, "the next begins now.", Failure.Cause, Failure.Remedy);
    }

    [Fact]
    public void A_failed_transfer_says_at_which_step_on_which_node_and_why()
    {
        var failed = Receiving.Fail(Failure, Noon);
        AssertSays(failed, "failed while it was connecting, on node node-1", Failure.Cause, Failure.Remedy);
        AssertSteps("done failed pending pending pending", failed);
    }

    [Fact]
    public void A_cancelled_transfer_says_how_to_go_on()
    {
        AssertSays(Receiving.Cancel(Noon), "was cancelled", null, "Retry it to go on.");
        AssertSteps("done done cancelled pending pending", Receiving.Cancel(Noon));
    }

    [Fact]
    public void A_transfer_that_is_done_needs_nothing()
    {
        AssertSays(Receiving.Finish(Noon), "done and the image is active", null, null);
        AssertSteps("done done done done done", Receiving.Finish(Noon));
    }

    private static void AssertSays(Transfer transfer, string summary, string? cause, string? remedy)
    {
        var explained = TransferExplanation.Of(transfer, [Alive], wait: null, Noon);
        Assert.Contains(summary, explained.Summary, StringComparison.Ordinal);
        Assert.Equal((cause, remedy), (explained.Cause, explained.Remedy));
    }

    private static void AssertSteps(string states, Transfer transfer)
    {
        var steps = TransferExplanation.Of(transfer, [Alive], wait: null, Noon).Steps;
        Assert.Equal(["waiting", "connecting", "receiving", "checking", "storing"], steps.Select(s => s.Name));
        Assert.Equal(states, string.Join(' ', steps.Select(s => s.State)));
    }
}
