using System.Runtime.CompilerServices;
using Vitrine.Content;
using Vitrine.Stores;

namespace Vitrine.Testing;

/// <summary>A store around a store that asks, before each call goes on, whether it may.</summary>
internal sealed class InterceptedStore(IContentStore inner, Func<StoreCall, CancellationToken, Task> before) : IContentStore
{
    public IImageDescriptions? Descriptions => inner.Descriptions;

    public async Task<StoredContent?> FindAsync(Digest digest, CancellationToken cancellationToken)
    {
        await before(StoreCall.Find, cancellationToken);
        return await inner.FindAsync(digest, cancellationToken);
    }

    public async Task<ContentReader> OpenAsync(Digest digest, CancellationToken cancellationToken)
    {
        await before(StoreCall.Open, cancellationToken);
        return new Reader(await inner.OpenAsync(digest, cancellationToken), before);
    }

    public async Task<ContentWriter> OpenWriterAsync(StagingKey key, CancellationToken cancellationToken)
    {
        await before(StoreCall.OpenWriter, cancellationToken);
        return new Writer(await inner.OpenWriterAsync(key, cancellationToken), before);
    }

    public async Task DiscardAsync(StagingKey key, CancellationToken cancellationToken)
    {
        await before(StoreCall.Discard, cancellationToken);
        await inner.DiscardAsync(key, cancellationToken);
    }

    public async Task DeleteAsync(Digest digest, CancellationToken cancellationToken)
    {
        await before(StoreCall.Delete, cancellationToken);
        await inner.DeleteAsync(digest, cancellationToken);
    }

    public async IAsyncEnumerable<StoredContent> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await before(StoreCall.List, cancellationToken);
        await foreach (var content in inner.ListAsync(cancellationToken))
            yield return content;
    }

    public async IAsyncEnumerable<StagedContent> ListStagedAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await before(StoreCall.ListStaged, cancellationToken);
        await foreach (var content in inner.ListStagedAsync(cancellationToken))
            yield return content;
    }

    public async Task<StoreCapacity> MeasureAsync(CancellationToken cancellationToken)
    {
        await before(StoreCall.Measure, cancellationToken);
        return await inner.MeasureAsync(cancellationToken);
    }

    public async Task ProbeAsync(CancellationToken cancellationToken)
    {
        await before(StoreCall.Probe, cancellationToken);
        await inner.ProbeAsync(cancellationToken);
    }

    // It hands out no file: what is read from a file could not be made to fail.
    private sealed class Reader(ContentReader inner, Func<StoreCall, CancellationToken, Task> before) : ContentReader
    {
        public ContentReader Inner => inner;

        public override long Length => inner.Length;

        public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            await before(StoreCall.Read, cancellationToken);
            return await inner.ReadAsync(offset, buffer, cancellationToken);
        }

        public override ValueTask DisposeAsync() => inner.DisposeAsync();
    }

    private sealed class Writer(ContentWriter inner, Func<StoreCall, CancellationToken, Task> before) : ContentWriter
    {
        public override long Length => inner.Length;

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            await before(StoreCall.Write, cancellationToken);
            await inner.WriteAsync(bytes, cancellationToken);
        }

        public override bool CanTake(ContentReader content) => inner.CanTake(InnerOf(content));

        public override async ValueTask<long> TakeAsync(ContentReader content, CancellationToken cancellationToken)
        {
            await before(StoreCall.Write, cancellationToken);
            return await inner.TakeAsync(InnerOf(content), cancellationToken);
        }

        public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            await before(StoreCall.ReadBack, cancellationToken);
            return await inner.ReadAsync(offset, buffer, cancellationToken);
        }

        public override async Task FlushAsync(CancellationToken cancellationToken)
        {
            await before(StoreCall.Flush, cancellationToken);
            await inner.FlushAsync(cancellationToken);
        }

        public override async Task ResetAsync(CancellationToken cancellationToken)
        {
            await before(StoreCall.Reset, cancellationToken);
            await inner.ResetAsync(cancellationToken);
        }

        public override async Task CommitAsync(Digest digest, CancellationToken cancellationToken)
        {
            await before(StoreCall.Commit, cancellationToken);
            await inner.CommitAsync(digest, cancellationToken);
            await before(StoreCall.Committed, cancellationToken);
        }

        public override ValueTask DisposeAsync() => inner.DisposeAsync();

        private static ContentReader InnerOf(ContentReader content) => content is Reader reader ? reader.Inner : content;
    }
}
