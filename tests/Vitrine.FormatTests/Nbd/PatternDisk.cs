using System.Runtime.CompilerServices;
using Vitrine.Disks;

namespace Vitrine.FormatTests.Nbd;

/// <summary>A disk of stripes of 64 KiB: data, zeros, nothing, data, and so on. No byte of the data is zero.</summary>
/// <param name="beforeRead">What a read does first; it may wait or fail.</param>
internal sealed class PatternDisk(long length, Func<long, Task>? beforeRead = null) : Disk
{
    public const int Stripe = 64 * 1024;

    public override long Length => length;

    public bool IsClosed { get; private set; }

    public static byte[] Bytes(long start, int length)
    {
        var bytes = new byte[length];
        Fill(start, bytes);
        return bytes;
    }

    public static void AssertHas(long start, int length, byte[] actual) =>
        Assert.True(Bytes(start, length).AsSpan().SequenceEqual(actual), $"the bytes from {start}, {length} of them, differ");

    public override ValueTask ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        Assert.False(IsClosed);
        if (beforeRead is not null)
            return ReadLaterAsync(offset, buffer, cancellationToken);

        Fill(offset, buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override async IAsyncEnumerable<Extent> ListExtentsAsync(
        long start, long length, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        for (var (at, end) = (start, start + length); at < end;)
        {
            var next = Math.Min((at / Stripe + 1) * Stripe, end);
            yield return new Extent(at, next - at, KindAt(at));
            at = next;
        }
    }

    public override Task CheckAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override ValueTask DisposeAsync()
    {
        IsClosed = true;
        return ValueTask.CompletedTask;
    }

    private async ValueTask ReadLaterAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        await beforeRead!(offset).WaitAsync(cancellationToken);
        Fill(offset, buffer.Span);
    }

    private static void Fill(long start, Span<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = KindAt(start + i) == ExtentKind.Data ? (byte)(1 + (start + i) * 31 / 7 % 255) : (byte)0;
    }

    private static ExtentKind KindAt(long offset) => (offset / Stripe % 3) switch
    {
        0 => ExtentKind.Data,
        1 => ExtentKind.Zero,
        _ => ExtentKind.Absent,
    };
}
