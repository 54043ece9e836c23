using System.Runtime.CompilerServices;
using Vitrine.Content;
using Vitrine.Disks;

namespace Vitrine.FormatTests.Conversion;

/// <summary>A disk whose extents begin and end anywhere, and which takes a different time for each read.</summary>
internal sealed class ShreddedDisk(byte[] bytes) : Disk
{
    public override long Length => bytes.Length;

    /// <summary>Reads that go beyond are refused.</summary>
    public long DamagedFrom { get; init; } = long.MaxValue;

    /// <summary>What happens at the first read beyond an offset.</summary>
    public (long Offset, Action Act) AtOffset { get; init; } = (long.MaxValue, () => { });

    public override async ValueTask ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        for (var i = offset / 4096 % 3; i > 0; i--)
            await Task.Yield();

        cancellationToken.ThrowIfCancellationRequested();
        if (offset + buffer.Length > DamagedFrom)
            throw new UnsafeContentException("test-damage", "it is damaged for a test.");
        if (offset + buffer.Length > AtOffset.Offset)
            AtOffset.Act();
        bytes.AsMemory((int)offset, buffer.Length).CopyTo(buffer);
    }

    public override async IAsyncEnumerable<Extent> ListExtentsAsync(
        long start, long length, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        var random = new Random(11);
        var end = start + length;
        for (var position = start; position < end;)
        {
            var isZero = bytes[position] == 0;
            var run = bytes.AsSpan((int)position, (int)(end - position));
            var found = isZero ? run.IndexOfAnyExcept((byte)0) : random.Next(1, 200_000);
            var extent = new Extent(position, found < 0 ? run.Length : Math.Min(found, run.Length), isZero ? ExtentKind.Zero : ExtentKind.Data);
            yield return extent;
            position = extent.End;
        }
    }

    public override Task CheckAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>A disk of zeros, of any length.</summary>
internal sealed class EmptyDisk(long length) : Disk
{
    public override long Length => length;

    public bool IsClosed { get; private set; }

    public override ValueTask ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        buffer.Span.Clear();
        return ValueTask.CompletedTask;
    }

    public override async IAsyncEnumerable<Extent> ListExtentsAsync(
        long start, long length, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        yield return new Extent(start, length, ExtentKind.Absent);
    }

    public override Task CheckAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override ValueTask DisposeAsync()
    {
        IsClosed = true;
        return ValueTask.CompletedTask;
    }
}
