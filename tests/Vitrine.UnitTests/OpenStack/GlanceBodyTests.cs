using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Vitrine.OpenStack.Images;

namespace Vitrine.UnitTests.OpenStack;

public sealed class GlanceBodyTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_body_stays_what_was_sent_when_its_connection_receives_more()
    {
        var received = """{"visibility":"public","tags":["a","b"]}"""u8.ToArray();
        var context = new DefaultHttpContext();
        context.Features.Set<IRequestBodyPipeFeature>(new BodyPipe(PipeReader.Create(new ReadOnlySequence<byte>(received))));

        using var body = await GlanceBody.ReadObjectAsync(context.Request, Stop);
        received.AsSpan().Fill((byte)'x');

        Assert.Equal("""{"visibility":"public","tags":["a","b"]}""", body.RootElement.GetRawText());
    }

    private sealed record BodyPipe(PipeReader Reader) : IRequestBodyPipeFeature;
}
