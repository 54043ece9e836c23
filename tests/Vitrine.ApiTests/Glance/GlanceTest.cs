using System.Net;

namespace Vitrine.ApiTests.Glance;

/// <summary>A test of the Glance face, in a project of its own.</summary>
public abstract class GlanceTest(LibraryHost host) : IAsyncLifetime
{
    private TestProject? _project;

    protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    private protected LibraryHost Host => host;

    private protected TestProject Project => _project ?? throw new InvalidOperationException("The test has not begun.");

    private protected GlanceCaller Member => new(host, Project.Member);

    private protected GlanceCaller Reader => new(host, Project.Reader);

    private protected GlanceCaller Admin => new(host, Project.Admin);

    private protected GlanceCaller Stranger => new(host, token: null);

    public async ValueTask InitializeAsync() => _project = await host.NewProjectAsync(CancellationToken.None);

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    private protected async Task<(TestProject Project, GlanceCaller Member)> NewNeighbourAsync(string? domain = null)
    {
        var neighbour = await host.NewProjectAsync(Stop, domain);
        return (neighbour, new GlanceCaller(host, neighbour.Member));
    }

    private protected static void Refused(HttpStatusCode status, GlanceReply reply)
    {
        Assert.Equal(status, reply.Status);
        Assert.StartsWith($"{(int)status} ", reply.Text("code"), StringComparison.Ordinal);
        Assert.EndsWith("<br /><br />\n\n\n", reply.Text("message"), StringComparison.Ordinal);
    }
}
