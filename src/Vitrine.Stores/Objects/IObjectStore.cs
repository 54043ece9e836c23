namespace Vitrine.Stores.Objects;

/// <summary>Keeps named bytes: the little that the chunked engine asks of a directory or an object store.</summary>
/// <remarks>
/// A name is words of lower-case letters, digits, dots and dashes, with slashes between them. Every implementation promises, and
/// ObjectStoreContract in the tests holds it to:
/// <list type="bullet">
/// <item>An object is there whole or not at all, and survives a power cut as soon as the call that made it returns.</item>
/// <item>An object that was put is seen by every client of the store at once, in lists too.</item>
/// <item>A put replaces what had the name in one step: a reader sees the old bytes or the new ones.</item>
/// <item>Deleting what is not there succeeds.</item>
/// <item>An object that grows is listed once, under its name, with the length that was flushed or more; deleting the name deletes it.</item>
/// </list>
/// Failures of the store are a <see cref="StoreUnavailableException"/>; <see cref="StoreFullException"/> where there is no room.
/// </remarks>
internal interface IObjectStore : IAsyncDisposable
{
    /// <summary>How many bytes are worth a read of their own, where more are wanted than a read brings.</summary>
    int ReadStep => 1024 * 1024;

    /// <returns>Null where there is no such object.</returns>
    Task<ObjectFacts?> FindAsync(string name, CancellationToken cancellationToken);

    /// <returns>How many bytes were read: fewer than the buffer takes only where the object ends.</returns>
    /// <exception cref="ObjectMissingException">There is no such object.</exception>
    ValueTask<int> ReadAsync(string name, long offset, Memory<byte> buffer, CancellationToken cancellationToken);

    Task PutAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    Task DeleteAsync(string name, CancellationToken cancellationToken);

    /// <summary>The objects whose names begin so, in no certain order.</summary>
    IAsyncEnumerable<ObjectFacts> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Begins an object that grows, or goes on with one that an earlier appender left behind.</summary>
    /// <remarks>The caller sees to it that there is one appender of a name at a time: see <see cref="TryLockAsync"/>.</remarks>
    /// <param name="name">Of one word behind one prefix, as in <c>staging/a.log</c>. Reads and lists see it under this name, as far as it was flushed at the least.</param>
    Task<ObjectAppender> OpenAppenderAsync(string name, CancellationToken cancellationToken);

    /// <summary>Begins an object that grows under a name that nobody has, and says where it will be sealed.</summary>
    /// <remarks>As an object that an appender opened, but that it may come to where only sealing helps: <see cref="ObjectAppender.IsBeyondFlushing"/>.</remarks>
    /// <param name="sealedName">Of the object that it becomes; nobody has it either.</param>
    Task<ObjectAppender> BeginAppenderAsync(string name, string sealedName, CancellationToken cancellationToken) => OpenAppenderAsync(name, cancellationToken);

    /// <summary>Takes a lock that ends with its holder, his process or his machine; it names no object.</summary>
    /// <remarks>
    /// Excludes other clients as far as the store can, which at the least is the other tasks of this process. What must be excluded
    /// for the data's sake is excluded by the catalogue.
    /// </remarks>
    /// <returns>Null where somebody else holds it.</returns>
    Task<IAsyncDisposable?> TryLockAsync(string name, CancellationToken cancellationToken);

    Task<StoreCapacity> MeasureAsync(CancellationToken cancellationToken);
}

/// <param name="Length">In bytes.</param>
internal readonly record struct ObjectFacts(string Name, long Length, DateTimeOffset LastWrite);

/// <summary>An object that grows at its end, and can be read meanwhile. One caller at a time, but for <see cref="FlushAsync"/>.</summary>
/// <remarks>Disposing it leaves what was appended for the next appender of the name, as far as the store keeps what was not flushed.</remarks>
internal abstract class ObjectAppender : IAsyncDisposable
{
    public abstract long Length { get; }

    /// <summary>Whether so much of it is on its way to its last place that it can be sealed, or cut to nothing, and not flushed or read. Appends decide it.</summary>
    public virtual bool IsBeyondFlushing => false;

    /// <exception cref="StoreFullException">There is no room. Nothing counts as appended.</exception>
    public abstract ValueTask AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <returns>How many bytes were read: fewer than the buffer takes only where the object ends.</returns>
    public abstract ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Makes what was appended before the call survive a power cut. May run beside appends, none of which makes it impossible any more.</summary>
    public abstract Task FlushAsync(CancellationToken cancellationToken);

    /// <summary>Gives up what is behind a length.</summary>
    public abstract Task CutAsync(long length, CancellationToken cancellationToken);

    /// <summary>Makes it an object of its own, durably, under a name that nobody has. The appender is of no use afterwards.</summary>
    public abstract Task SealAsync(string name, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}

/// <summary>There is no object of this name. What it means is for the caller to say.</summary>
internal sealed class ObjectMissingException(string name, Exception? inner = null) : Exception($"There is no object '{name}'.", inner);
