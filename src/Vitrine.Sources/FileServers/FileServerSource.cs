using Vitrine.Sources.Outgoing;
using Vitrine.Transfers;

namespace Vitrine.Sources.FileServers;

/// <summary>Files of FTP and SFTP servers.</summary>
internal sealed class FileServerSource(
    OutgoingPolicy policy, OutgoingConnector connector, SourceOptions options, TimeProvider time, SourceMeter meter) : ISource, IDisposable
{
    // Each has a thread; more than these wait, as probes may be asked for without end.
    private const int MaxConversations = 64;
    private readonly SemaphoreSlim _turns = new(MaxConversations);

    public IReadOnlyCollection<string> Schemes { get; } = [Uri.UriSchemeFtp, Uri.UriSchemeSftp];

    public void Check(Uri address) => Demand(address);

    public Task<SourceReading> OpenAsync(Uri address, long from, string? validator, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        return meter.CountAsync(() => TalkAsync(address, async (conversation, target, stop) =>
        {
            var look = await conversation.LookAsync(stop);
            var start = look.CanResume && validator is not null && look.Mark.Text == validator ? from : 0;
            var bytes = start > 0 && start == look.Mark.Length ? Stream.Null : await conversation.ReadAsync(start, look, stop);
            var body = new SourceBody(bytes, target.Host, look.Mark.Length - start, options.IdleTimeout, time, meter, () => conversation.FaultAtEnd);
            return new SourceReading(body, start, look.Mark.Length, look.Mark.Text, look.CanResume, conversation);
        }, isKept: true, cancellationToken));
    }

    public Task<SourceProbe> ProbeAsync(Uri address, CancellationToken cancellationToken) =>
        TalkAsync(address, async (conversation, _, stop) =>
        {
            var look = await conversation.LookAsync(stop);
            return new SourceProbe(
                SourceAddress.Redact(address), look.Reply, look.Mark.Length, ContentType: null, look.CanResume, look.Mark.Text, Certificate: null)
            {
                Route = conversation.FindRoute(),
            };
        }, isKept: false, cancellationToken);

    public void Dispose() => _turns.Dispose();

    /// <param name="isKept">What comes of it goes on with the conversation, and ends it.</param>
    private async Task<T> TalkAsync<T>(
        Uri address, Func<FileServerConversation, OutgoingTarget, CancellationToken, Task<T>> talk, bool isKept, CancellationToken cancellationToken)
    {
        var (target, login) = Demand(address);
        await _turns.WaitAsync(cancellationToken);
        FileServerConversation? conversation = null;
        var isOver = true;
        try
        {
            conversation = await FileServerConversation.BeginAsync(
                connector, target, PathOf(address), login, options, () => _turns.Release(), cancellationToken);
            using var deadline = new Deadline(options.ConnectTimeout + options.HeaderTimeout, time, cancellationToken);
            try
            {
                var come = await talk(conversation, target, deadline.Token);
                isOver = !isKept;
                return come;
            }
            catch (OperationCanceledException) when (deadline.HasPassed && !cancellationToken.IsCancellationRequested)
            {
                throw new SourceException(
                    SourceFault.Stalled, $"{target.Host} did not answer within {options.HeaderTimeout.TotalSeconds:0.#} s.", mayPass: true);
            }
        }
        finally
        {
            if (conversation is null)
                _turns.Release();
            else if (isOver)
                await conversation.DisposeAsync();
        }
    }

    private (OutgoingTarget Target, FileServerLogin Login) Demand(Uri address)
    {
        var target = policy.Demand(address, Schemes);
        if (target.IsSftp && string.IsNullOrEmpty(options.KnownHosts))
            throw new SourceException(
                SourceFault.Refused, $"Nothing is fetched by sftp, as no host keys are known ({SourceOptions.Section}:KnownHosts).", mayPass: false);
        if (address.Query.Length > 0 || address.Fragment.Length > 0)
            throw Malformed($"An {target.Scheme} address has no ? and no #; in a file's name they are written %3F and %23.");

        var path = Uri.UnescapeDataString(address.AbsolutePath);
        if (path.Any(char.IsControl))
            throw Malformed("The path has a control character in it.");
        if (path.EndsWith('/'))
            throw Malformed("The address names a directory, not a file.");

        return (target, FileServerLogin.Read(address, target, options.SftpKeys));
    }

    // What follows a semicolon would be a mode of transfer to libcurl (RFC 1738 section 3.2.2), as text that is altered on its way.
    private static string PathOf(Uri address) => address.AbsolutePath.Replace(";", "%3B", StringComparison.Ordinal);

    private static SourceException Malformed(string message) => new(SourceFault.MalformedUrl, message, mayPass: false);
}
