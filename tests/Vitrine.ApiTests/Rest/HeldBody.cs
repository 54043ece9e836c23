using System.Net;

namespace Vitrine.ApiTests.Rest;

/// <summary>A body that sends some bytes and then nothing, until it is let go.</summary>
internal sealed class HeldBody : IAsyncDisposable
{
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public HeldBody(int length) => Content = new Held(this, length);

    public HttpContent Content { get; }

    public void Release() => _released.TrySetResult();

    public ValueTask DisposeAsync()
    {
        Release();
        return ValueTask.CompletedTask;
    }

    private sealed class Held(HeldBody owner, int length) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(new byte[length]);
            await stream.FlushAsync();
            await owner._released.Task;
        }

        // Sent in chunks, so that it may end where it likes.
        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
