using System.Runtime.CompilerServices;
using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Stores;
using Vitrine.Testing;

namespace Vitrine.ContractTests.Library;

/// <summary>Checks of stores that keep their promises, that do not, and whose checkers die.</summary>
public sealed class StoreCheckTests : IDisposable
{
    private static readonly Caller Admin = LibraryHome.Caller with { Roles = new HashSet<string> { RoleNames.Admin } };
    private static readonly StoreTask Check = new(StoreOperationKind.Check);
    private readonly LibraryHome _home = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task A_sound_store_is_found_sound_while_sweeps_go_on()
    {
        LibraryNode? node = null;
        var sweeps = 0;
        await using var sweeping = node = await _home.StartAsync(store: real => new InterceptedStore(real, async (call, _) =>
        {
            if (node is null || call is StoreCall.List or StoreCall.ListStaged or StoreCall.Measure || Interlocked.Exchange(ref sweeps, 1) == 1)
                return;

            await node.SweepAsync();
            sweeps = 0;
        }));
        var image = await node.NewImageAsync();
        await node.ReceiveAsync(image, [1, 2, 3]);

        // Not by the runner, which looks at the clock, and this one hurries when it is looked at.
        var begun = await node.Operations.RequestAsync(LibraryHome.Main, Check, Admin, Stop);
        var done = (await new StoreCheck(node.Replicas, node.Registry, _home.Clock).RunAsync(begun, new Progress<UpkeepProgress>(), Stop))(begun);
        Assert.Equal((StoreOperationState.Done, false), (done.State, done.Checked!.IsReadOnly));
        Assert.Null(done.Checked.Fault);
        Assert.Equal(
            ["capacity", "stage", "one-writer", "resume", "commit", "read", "list", "commit-again", "delete", "discard", "leave"], done.Checked.Steps.Select(s => s.Name));
        await node.AssertHoldsAsync([1, 2, 3]);
    }

    [Theory]
    [InlineData(Vice.ShowsStaged, "stage")]
    [InlineData(Vice.LetsTwoWrite, "one-writer")]
    [InlineData(Vice.ForgetsFlushed, "resume")]
    [InlineData(Vice.LosesCommitted, "commit")]
    [InlineData(Vice.ReadsWrong, "read")]
    [InlineData(Vice.ListsNothing, "list")]
    [InlineData(Vice.KeepsDeleted, "delete")]
    [InlineData(Vice.KeepsDiscarded, "discard")]
    public async Task What_a_store_does_otherwise_than_it_promises_ends_the_check_and_is_named(Vice vice, string step)
    {
        var has = vice;
        await using var node = await _home.StartAsync(store: real => new VicedStore(real, () => has));
        var done = await RunAsync(node);

        Assert.Equal(StoreOperationState.Done, done.State);
        Assert.Equal((step, "store-promise"), (done.Checked!.Fault!.Step, done.Checked.Fault.Failure.Code));
        Assert.NotEmpty(done.Checked.Fault.Failure.Remedy);
        Assert.DoesNotContain(done.Checked.Steps, s => s.Name == step);

        // What the store could not be made to remove goes when it is put right.
        has = Vice.None;
        await node.AssertSweptAsync();
    }

    [Fact]
    public async Task A_failure_of_a_call_names_the_step_its_cause_and_what_to_do()
    {
        FaultyStore? faulty = null;
        await using var node = await _home.StartAsync(store: real => faulty = new FaultyStore(real));
        faulty!.On(StoreCall.Commit).Throw(() => new StoreFullException(LibraryHome.Main, 7, 0));
        var fault = (await RunAsync(node)).Checked!.Fault!;
        Assert.Equal(("commit", "store-full"), (fault.Step, fault.Failure.Code));
        Assert.Contains("is full", fault.Failure.Cause, StringComparison.Ordinal);
        await node.AssertHoldsAsync();
    }

    [Fact]
    public async Task A_check_that_dies_anywhere_is_ended_by_the_next_run_which_leaves_nothing()
    {
        const int Stride = 4;
        for (var steps = 1; ; steps += Stride)
        {
            await using var node = await _home.StartAsync();
            var check = await node.Operations.RequestAsync(LibraryHome.Main, Check, Admin, Stop);
            await using var mortal = await _home.StartAsync(life: new Life(steps));
            var death = await Record.ExceptionAsync(() =>
                new StoreCheck(mortal.Replicas, mortal.Registry, _home.Clock).RunAsync(check, new Progress<UpkeepProgress>(), Stop));

            Assert.Equal(0, (await node.SweepAsync()).Staged);
            await node.OperationRunner.RunAsync(check.Id, Stop);
            var done = await node.Operations.GetAsync(LibraryHome.Main, check.Id, Admin, Stop);
            Assert.Equal((StoreOperationState.Done, null), (done.State, done.Checked?.Fault));
            await node.AssertHoldsAsync();
            if (death is null)
                return;

            Assert.IsType<KilledException>(death);
        }
    }

    [Fact]
    public async Task What_a_check_that_is_over_left_behind_is_swept()
    {
        await using var node = await _home.StartAsync();
        var check = await node.Operations.RequestAsync(LibraryHome.Main, Check, Admin, Stop);
        await using (var writer = await node.Store.OpenWriterAsync(StagingKey.OfCheck(check.Id, 1), Stop))
            await writer.WriteAsync(new byte[10], Stop);

        Assert.Equal(default, await node.SweepAsync());
        await node.OperationRunner.RunAsync(check.Id, Stop);
        await using (var writer = await node.Store.OpenWriterAsync(StagingKey.OfCheck(check.Id, 1), Stop))
            await writer.WriteAsync(new byte[10], Stop);
        Assert.Equal(new SweepResult(0, 1, 10), await node.SweepAsync());
    }

    [Fact]
    public async Task A_store_that_takes_nothing_new_is_only_read_from()
    {
        FaultyStore? faulty = null;
        await using var node = await _home.StartAsync(store: real => faulty = new FaultyStore(real));
        var image = await node.NewImageAsync();
        await node.ReceiveAsync(image, [1, 2, 3]);
        await node.Operations.SetModeAsync(LibraryHome.Main, StoreMode.ReadOnly, Admin, Stop);
        foreach (var write in new[] { StoreCall.OpenWriter, StoreCall.Delete, StoreCall.Discard, StoreCall.Probe })
            faulty!.On(write);

        var sound = (await RunAsync(node)).Checked!;
        Assert.Equal((true, null), (sound.IsReadOnly, sound.Fault));
        Assert.Equal(["capacity", "list", "read"], sound.Steps.Select(s => s.Name));

        var path = Directory.EnumerateFiles(_home.PathOf("store"), "*", SearchOption.AllDirectories)
            .Single(f => Path.GetFileName(f).Contains(Digest.Of([1, 2, 3]).Hex[4..], StringComparison.Ordinal));
        await using (var file = new FileStream(path, FileMode.Open, FileAccess.Write))
            file.WriteByte(9);
        var damaged = (await RunAsync(node)).Checked!.Fault!;
        Assert.Equal(("read", "store-damaged"), (damaged.Step, damaged.Failure.Code));
    }

    [Fact]
    public async Task A_check_is_for_administrators_and_takes_nothing_else()
    {
        await using var node = await _home.StartAsync();
        await Assert.ThrowsAsync<ForbiddenException>(() => node.Operations.RequestAsync(LibraryHome.Main, Check, LibraryHome.Caller, Stop));
        await Assert.ThrowsAsync<InvalidFieldException>(() => node.Operations.RequestAsync(LibraryHome.Main, Check with { Rate = 1 << 20 }, Admin, Stop));
        await Assert.ThrowsAsync<InvalidFieldException>(() => node.Operations.RequestAsync(LibraryHome.Main, Check with { Sources = ["a"] }, Admin, Stop));
    }

    private static async Task<StoreOperation> RunAsync(LibraryNode node)
    {
        var begun = await node.Operations.RequestAsync(LibraryHome.Main, Check, Admin, Stop);
        await node.OperationRunner.RunAsync(begun.Id, Stop);
        return await node.Operations.GetAsync(LibraryHome.Main, begun.Id, Admin, Stop);
    }

    /// <summary>What a store may do wrong.</summary>
    public enum Vice
    {
        None,
        ShowsStaged,
        LetsTwoWrite,
        ForgetsFlushed,
        LosesCommitted,
        ReadsWrong,
        ListsNothing,
        KeepsDeleted,
        KeepsDiscarded,
    }

    /// <summary>A store with one fault, around one without.</summary>
    private sealed class VicedStore(IContentStore inner, Func<Vice> vice) : IContentStore
    {
        private StagingKey? _open;

        public async Task<StoredContent?> FindAsync(Digest digest, CancellationToken cancellationToken) => vice() switch
        {
            Vice.ShowsStaged => new StoredContent(digest, 1),
            Vice.LosesCommitted => null,
            _ => await inner.FindAsync(digest, cancellationToken),
        };

        public async Task<ContentReader> OpenAsync(Digest digest, CancellationToken cancellationToken) =>
            new ViciousReader(await inner.OpenAsync(digest, cancellationToken), vice() is Vice.ReadsWrong);

        public async Task<ContentWriter> OpenWriterAsync(StagingKey key, CancellationToken cancellationToken)
        {
            try
            {
                if (vice() is Vice.ForgetsFlushed && _open == key)
                    await inner.DiscardAsync(key, cancellationToken);
                return await inner.OpenWriterAsync(key, cancellationToken);
            }
            catch (WriterBusyException) when (vice() is Vice.LetsTwoWrite)
            {
                return await inner.OpenWriterAsync(new StagingKey(key.Value + "-too"), cancellationToken);
            }
            finally
            {
                _open = key;
            }
        }

        public Task DiscardAsync(StagingKey key, CancellationToken cancellationToken) =>
            vice() is Vice.KeepsDiscarded && key.Value.EndsWith("-2", StringComparison.Ordinal) ? Task.CompletedTask : inner.DiscardAsync(key, cancellationToken);

        public Task DeleteAsync(Digest digest, CancellationToken cancellationToken) =>
            vice() is Vice.KeepsDeleted ? Task.CompletedTask : inner.DeleteAsync(digest, cancellationToken);

        public async IAsyncEnumerable<StoredContent> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (var content in inner.ListAsync(cancellationToken))
            {
                if (vice() is not Vice.ListsNothing)
                    yield return content;
            }
        }

        public IAsyncEnumerable<StagedContent> ListStagedAsync(CancellationToken cancellationToken) => inner.ListStagedAsync(cancellationToken);

        public Task<StoreCapacity> MeasureAsync(CancellationToken cancellationToken) => inner.MeasureAsync(cancellationToken);

        public Task ProbeAsync(CancellationToken cancellationToken) => inner.ProbeAsync(cancellationToken);
    }

    private sealed class ViciousReader(ContentReader inner, bool readsWrong) : ContentReader
    {
        public override long Length => inner.Length;

        public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            var count = await inner.ReadAsync(offset, buffer, cancellationToken);
            if (readsWrong && count > 0)
                buffer.Span[0] ^= 1;
            return count;
        }

        public override ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
