using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Vitrine.Stores.Objects.S3;

/// <summary>Keeps each object as one of a bucket, and those that grow as several: see <see cref="S3Piece"/>.</summary>
/// <remarks>
/// Locks hold in this process. Swift's lists can lag behind for as long as one of its container servers is overloaded; all else is
/// seen at once wherever it is asked for.
/// </remarks>
internal sealed class S3Objects(string store, S3StoreOptions options, TimeProvider time) : IObjectStore
{
    private static readonly TimeSpan UploadLifetime = TimeSpan.FromDays(1);

    // Several clients of one bucket in this process are tasks of it like any others.
    private static readonly ConcurrentDictionary<string, object> Locks = new(StringComparer.Ordinal);

    private readonly S3Bucket _bucket = new(store, options, time);

    /// <summary>How many names a list asks for at a time.</summary>
    internal int PageLength
    {
        init => _bucket = new S3Bucket(store, options, time) { PageLength = value };
    }

    /// <summary>The address of the server under which locks are taken: who reaches one bucket by two shares them.</summary>
    internal string LockedBy { get; init; } = options.Endpoint;

    /// <summary>Each read is a request, whose way there and back takes as long as a MiB or more does. With what comes to it of a last segment it is of 4 MiB.</summary>
    public int ReadStep => 15 * 256 * 1024;

    /// <summary>Whether nothing is in the bucket below the prefix yet, so that a store may be made of it.</summary>
    /// <exception cref="StoreUnavailableException">The bucket is missing or cannot be used.</exception>
    public async Task<bool> IsEmptyAsync(CancellationToken cancellationToken) => !await _bucket.ListAsync("", cancellationToken).AnyAsync(cancellationToken);

    /// <summary>Removes what writers that died in the middle of a put left behind.</summary>
    public Task RemoveAbandonedAsync(CancellationToken cancellationToken) =>
        _bucket.AbortUploadsAsync(time.GetUtcNow() - UploadLifetime, cancellationToken);

    public async Task<ObjectFacts?> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (await _bucket.FindAsync(name, cancellationToken) is { } found)
            return found;

        // It may grow. The list also fails where it is the bucket that is not there.
        var grows = ListAsync(S3Piece.PrefixOf(name), cancellationToken);
        return await grows.Where(o => o.Name == name).Select(o => (ObjectFacts?)o).FirstOrDefaultAsync(cancellationToken);
    }

    public async ValueTask<int> ReadAsync(string name, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await _bucket.ReadAsync(name, offset, buffer, cancellationToken);
        }
        catch (ObjectMissingException missing)
        {
            var pieces = await ListPiecesAsync(_bucket, name, cancellationToken);
            if (pieces.Count == 0)
                throw new ObjectMissingException(name, missing);

            await using var growing = new S3Appender(_bucket, name, pieces);
            return await growing.ReadAsync(offset, buffer, cancellationToken);
        }
    }

    public Task PutAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => _bucket.PutAsync(name, bytes, cancellationToken);

    public async Task DeleteAsync(string name, CancellationToken cancellationToken)
    {
        await _bucket.DeleteAsync(name, cancellationToken);

        // A name does not tell whether what has it grows.
        await DeletePiecesAsync(_bucket, name, cancellationToken);
    }

    public async IAsyncEnumerable<ObjectFacts> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var growing = new List<(S3Piece Piece, DateTimeOffset LastWrite)>();
        await foreach (var found in _bucket.ListAsync(prefix, cancellationToken))
        {
            // The pieces of one object follow each other.
            var isPiece = S3Piece.TryParse(found.Name, found.Length, out var piece);
            if (growing.Count > 0 && growing[0].Piece.Name != piece?.Name)
                yield return Together(growing);

            if (isPiece)
                growing.Add((piece!, found.LastWrite));
            else
                yield return found;
        }

        if (growing.Count > 0)
            yield return Together(growing);
    }

    public async Task<ObjectAppender> OpenAppenderAsync(string name, CancellationToken cancellationToken) =>
        new S3Appender(_bucket, name, await ListPiecesAsync(_bucket, name, cancellationToken));

    public Task<ObjectAppender> BeginAppenderAsync(string name, string sealedName, CancellationToken cancellationToken) =>
        Task.FromResult<ObjectAppender>(new S3DirectAppender(_bucket, name, sealedName));

    public Task<IAsyncDisposable?> TryLockAsync(string name, CancellationToken cancellationToken)
    {
        var held = new Held($"{LockedBy} {options.Bucket} {options.Prefix}{name}");
        return Task.FromResult<IAsyncDisposable?>(Locks.TryAdd(held.Name, held) ? held : null);
    }

    public async Task<StoreCapacity> MeasureAsync(CancellationToken cancellationToken)
    {
        if (options.Quota is not { } quota)
            return new StoreCapacity(Total: null, Free: null);

        var used = 0L;
        await foreach (var found in _bucket.ListAsync("", cancellationToken))
            used += found.Length;

        return new StoreCapacity(quota, Math.Max(quota - used, 0));
    }

    public ValueTask DisposeAsync()
    {
        _bucket.Dispose();
        return ValueTask.CompletedTask;
    }

    internal static async Task DeletePiecesAsync(S3Bucket bucket, string name, CancellationToken cancellationToken)
    {
        // The last first: what is left when this is cut short is the object as it once was.
        var pieces = (await ListPiecesAsync(bucket, name, cancellationToken)).OrderByDescending(p => p.Number);
        await bucket.DeleteAllAsync(pieces.Select(p => p.ObjectName), cancellationToken);
    }

    private static async Task<List<S3Piece>> ListPiecesAsync(S3Bucket bucket, string name, CancellationToken cancellationToken)
    {
        var pieces = new List<S3Piece>();
        await foreach (var found in bucket.ListAsync(S3Piece.PrefixOf(name), cancellationToken))
        {
            if (S3Piece.TryParse(found.Name, found.Length, out var piece))
                pieces.Add(piece);
        }

        return pieces;
    }

    private static ObjectFacts Together(List<(S3Piece Piece, DateTimeOffset LastWrite)> growing)
    {
        var length = S3Piece.Assemble(growing.Select(g => g.Piece)).LastOrDefault()?.End ?? 0;
        var facts = new ObjectFacts(growing[0].Piece.Name, length, growing.Max(g => g.LastWrite));
        growing.Clear();
        return facts;
    }

    private sealed class Held(string name) : IAsyncDisposable
    {
        public string Name => name;

        public ValueTask DisposeAsync()
        {
            // Only while it is ours: disposing twice must not let go of what somebody else took since.
            Locks.TryRemove(new KeyValuePair<string, object>(name, this));
            return ValueTask.CompletedTask;
        }
    }
}
