using System.Runtime.CompilerServices;
using Vitrine.Stores;
using Vitrine.Stores.Objects;

namespace Vitrine.ContractTests.Stores;

/// <summary>How a call to the objects goes wrong.</summary>
public enum ObjectFault
{
    /// <summary>The process dies in the middle of it: nothing after it happens, and what was done of it is.</summary>
    Death,

    /// <summary>It fails once, and nothing of it happens.</summary>
    Refusal,

    /// <summary>There is no room for it. There is room again for the next.</summary>
    Full,

    /// <summary>It happens, and its answer is lost.</summary>
    LostAnswer,
}

/// <summary>Objects of which one call that changes something goes wrong.</summary>
internal sealed class FaultyObjects(IObjectStore inner, ObjectFault fault, int atChange) : IObjectStore
{
    private int _changes;
    private volatile bool _isDead;

    /// <summary>How many calls have changed something, or tried to.</summary>
    public int Changes => _changes;

    public Task<ObjectFacts?> FindAsync(string name, CancellationToken cancellationToken)
    {
        ThrowIfDead();
        return inner.FindAsync(name, cancellationToken);
    }

    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ThrowIfDead();
        return inner.ReadAsync(name, offset, buffer, cancellationToken);
    }

    public Task PutAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        ChangeAsync(() => inner.PutAsync(name, bytes, cancellationToken), doneAtDeath: false);

    public Task DeleteAsync(string name, CancellationToken cancellationToken) =>
        ChangeAsync(() => inner.DeleteAsync(name, cancellationToken), doneAtDeath: true);

    public async IAsyncEnumerable<ObjectFacts> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var found in inner.ListAsync(prefix, cancellationToken))
        {
            ThrowIfDead();
            yield return found;
        }
    }

    public async Task<ObjectAppender> OpenAppenderAsync(string name, CancellationToken cancellationToken)
    {
        ThrowIfDead();
        return new Appender(this, await inner.OpenAppenderAsync(name, cancellationToken));
    }

    public async Task<ObjectAppender> BeginAppenderAsync(string name, string sealedName, CancellationToken cancellationToken)
    {
        ThrowIfDead();
        return new Appender(this, await inner.BeginAppenderAsync(name, sealedName, cancellationToken));
    }

    public Task<IAsyncDisposable?> TryLockAsync(string name, CancellationToken cancellationToken) => inner.TryLockAsync(name, cancellationToken);

    public Task<StoreCapacity> MeasureAsync(CancellationToken cancellationToken) => inner.MeasureAsync(cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task ChangeAsync(Func<Task> change, bool doneAtDeath)
    {
        ThrowIfDead();
        if (Interlocked.Increment(ref _changes) != atChange)
        {
            await change();
            return;
        }

        if (fault is ObjectFault.LostAnswer || (fault is ObjectFault.Death && doneAtDeath))
            await change();

        _isDead = fault is ObjectFault.Death;
        throw fault is ObjectFault.Full ? new StoreFullException("memory", 1, 0) : new StoreUnavailableException("memory", "a test wants it so.");
    }

    private void ThrowIfDead()
    {
        if (_isDead)
            throw new StoreUnavailableException("memory", "its process is dead.");
    }

    private sealed class Appender(FaultyObjects objects, ObjectAppender inner) : ObjectAppender
    {
        public override long Length => inner.Length;

        public override bool IsBeyondFlushing => inner.IsBeyondFlushing;

        public override async ValueTask AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            var before = inner.Length;
            try
            {
                await objects.ChangeAsync(() => inner.AppendAsync(bytes, cancellationToken).AsTask(), doneAtDeath: false);
            }
            catch (StoreUnavailableException) when (objects._isDead && inner.Length == before)
            {
                // A torn write is what is left of it.
                await inner.AppendAsync(bytes[..(bytes.Length / 2)], cancellationToken);
                throw;
            }
        }

        public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            objects.ThrowIfDead();
            return inner.ReadAsync(offset, buffer, cancellationToken);
        }

        public override Task FlushAsync(CancellationToken cancellationToken) =>
            objects.ChangeAsync(() => inner.FlushAsync(cancellationToken), doneAtDeath: true);

        public override Task CutAsync(long length, CancellationToken cancellationToken) =>
            objects.ChangeAsync(() => inner.CutAsync(length, cancellationToken), doneAtDeath: true);

        public override Task SealAsync(string name, CancellationToken cancellationToken) =>
            objects.ChangeAsync(() => inner.SealAsync(name, cancellationToken), doneAtDeath: true);

        public override ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
