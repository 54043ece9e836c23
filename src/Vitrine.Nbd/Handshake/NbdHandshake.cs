using Microsoft.Extensions.Logging;
using Vitrine.Nbd.Wire;

namespace Vitrine.Nbd.Handshake;

/// <summary>Talks with a client until it has its export or leaves: the fixed newstyle handshake.</summary>
/// <remarks>The exports that it finds are its own until it is disposed, the one of the session among them.</remarks>
internal sealed partial class NbdHandshake(NbdChannel channel, NbdHandshakeTerms terms, ILogger logger) : IAsyncDisposable
{
    // More than any client needs; each may cost a look into the catalogue.
    private const int MaxOptions = 128;

    // A name and as much again, for queries and lengths.
    private const int MaxOptionLength = 2 * NbdText.MaxLength;

    // What is longer than any client could mean is not even read over.
    private const int MaxSkippedLength = 1024 * 1024;

    private const uint PreferredBlockSize = 4096;

    // The context's number on the wire. We have but one.
    internal const uint AllocationContext = 1;

    private bool _isFixed;
    private bool _leavesOutZeroes;
    private bool _structuredReplies;
    private string? _allocationOf;
    private (string Name, NbdExport Export)? _found;

    private static NbdTransmissionFlags Flags =>
        NbdTransmissionFlags.HasFlags | NbdTransmissionFlags.ReadOnly |
        // Nothing is written, so all that was written is kept, and all connections see the same.
        NbdTransmissionFlags.SendFlush | NbdTransmissionFlags.CanMultiConnection |
        NbdTransmissionFlags.SendDontFragment;

    private bool AwaitsTls => terms.Tls == NbdTls.Required && !channel.IsSecure;

    /// <returns>Null where the client left.</returns>
    /// <exception cref="NbdProtocolException">The client cannot be talked with.</exception>
    public async Task<NbdSession?> RunAsync(CancellationToken cancellationToken)
    {
        if (!await GreetAsync())
            return null;

        for (var i = 0; i < MaxOptions; i++)
        {
            if (await ReadOptionAsync() is not { } request)
                return null;

            var step = await AnswerAsync(request, cancellationToken);
            if (step.IsOver)
                return step.Session;
        }

        throw new NbdProtocolException("The client sends options without end.");
    }

    public async ValueTask DisposeAsync()
    {
        if (_found is { } found)
            await found.Export.DisposeAsync();
        _found = null;
    }

    /// <remarks>
    /// The server's greeting, and the client's answer to it, which are its flags:
    /// <code>
    ///  0           8            16      18           0       4
    ///  +-----------+------------+-------+            +-------+
    ///  | "NBDMAGIC"| "IHAVEOPT" | flags |            | flags |
    ///  +-----------+------------+-------+            +-------+
    /// </code>
    /// </remarks>
    private async Task<bool> GreetAsync()
    {
        await channel.WriteAsync("NBDMAGICIHAVEOPT\0\u0003"u8.ToArray());
        if (!await channel.FillAsync(sizeof(uint)))
            return false;

        var flags = (NbdHandshakeFlags)new BigEndianReader(channel.Unread.Span).ReadUInt32();
        channel.Advance(sizeof(uint));
        if ((flags & ~(NbdHandshakeFlags.FixedNewstyle | NbdHandshakeFlags.NoZeroes)) != NbdHandshakeFlags.None)
            throw new NbdProtocolException("The client answers with flags that it was not offered.");

        _isFixed = flags.HasFlag(NbdHandshakeFlags.FixedNewstyle);
        _leavesOutZeroes = flags.HasFlag(NbdHandshakeFlags.NoZeroes);
        return true;
    }

    /// <returns>The option with its data; null where the client left, and no data where they are too long to be meant.</returns>
    private async Task<Request?> ReadOptionAsync()
    {
        if (!await channel.FillAsync(NbdOptionRequest.HeaderLength))
            return null;

        var (option, length) = NbdOptionRequest.Read(channel.Unread.Span);
        channel.Advance(NbdOptionRequest.HeaderLength);
        if (length > MaxSkippedLength)
            throw new NbdProtocolException("An option is too long.");

        if (length > MaxOptionLength)
            return await channel.SkipAsync(length) ? new Request(option, null) : null;

        if (!await channel.FillAsync((int)length))
            return null;

        var data = channel.Unread[..(int)length].ToArray();
        channel.Advance((int)length);
        return new Request(option, data);
    }

    private async Task<Step> AnswerAsync(Request request, CancellationToken cancellationToken)
    {
        if (request.Option == NbdOption.ExportName)
            return Step.Over(await OpenByNameAsync(request.Data, cancellationToken));

        if (!_isFixed)
            throw new NbdProtocolException("A client of the plain newstyle asks for more than an export.");

        if (request.Option == NbdOption.Abort)
            return await SayAsync(NbdOptionAnswer.Acknowledge(request.Option), Step.Over(null));

        // Before TLS even options that we do not know are answered so, and nothing is looked at.
        if (AwaitsTls && request.Option != NbdOption.StartTls)
            return await RefuseAsync(request.Option, NbdOptionReply.TlsRequired, "This server talks of exports over TLS only.");

        if (request.Data is not { } data)
            return await RefuseAsync(request.Option, NbdOptionReply.TooBig, "The option's data are too long.");

        return request.Option switch
        {
            NbdOption.List => await ListAsync(data, cancellationToken),
            NbdOption.StartTls => await StartTlsAsync(data, cancellationToken),
            NbdOption.Info or NbdOption.Go => await DescribeAsync(request.Option, data, cancellationToken),
            NbdOption.StructuredReply => await AgreeOnStructuredRepliesAsync(data),
            NbdOption.ListMetaContext or NbdOption.SetMetaContext => await TellContextsAsync(request.Option, data, cancellationToken),
            _ => await RefuseAsync(request.Option, NbdOptionReply.Unsupported, "This server does not know the option."),
        };
    }

    /// <summary>The oldest way to an export. It has no way to say no but to hang up.</summary>
    /// <remarks>
    /// <code>
    ///  0      8       10
    ///  +------+-------+
    ///  | size | flags |  then 124 zeros, unless both ends agreed to leave them out
    ///  +------+-------+
    /// </code>
    /// </remarks>
    private async Task<NbdSession?> OpenByNameAsync(byte[]? data, CancellationToken cancellationToken)
    {
        const int Zeroes = 124;
        if (AwaitsTls || data is null || !NbdText.TryRead(data, out var name))
            return null;

        if (await FindAsync(name, cancellationToken) is not { Export: { } export })
            return null;

        var reply = new byte[sizeof(ulong) + sizeof(ushort) + (_leavesOutZeroes ? 0 : Zeroes)];
        WriteSizeAndFlags(reply, export.Size);
        await channel.WriteAsync(reply);
        return MakeSession(name, export);
    }

    private static void WriteSizeAndFlags(Span<byte> room, long size)
    {
        var writer = new BigEndianWriter(room);
        writer.Write((ulong)size);
        writer.Write((ushort)Flags);
    }

    private async Task<Step> ListAsync(byte[] data, CancellationToken cancellationToken)
    {
        if (data.Length != 0)
            return await RefuseAsync(NbdOption.List, NbdOptionReply.Invalid, "NBD_OPT_LIST has no data.");

        var answer = new NbdOptionAnswer(NbdOption.List);
        foreach (var listing in await terms.Exports.ListAsync(cancellationToken))
            answer.AddServer(listing);
        return await SayAsync(answer.Acknowledge());
    }

    /// <summary>Goes over to TLS; what was agreed upon before is forgotten, as somebody else may have said it.</summary>
    private async Task<Step> StartTlsAsync(byte[] data, CancellationToken cancellationToken)
    {
        if (data.Length != 0)
            return await RefuseAsync(NbdOption.StartTls, NbdOptionReply.Invalid, "NBD_OPT_STARTTLS has no data.");
        if (channel.IsSecure)
            return await RefuseAsync(NbdOption.StartTls, NbdOptionReply.Invalid, "This is TLS already.");
        if (terms.Tls == NbdTls.Off)
            return await RefuseAsync(NbdOption.StartTls, NbdOptionReply.Policy, "This server has no TLS.");

        await DisposeAsync();
        (_structuredReplies, _allocationOf) = (false, null);
        await channel.SecureAsync(
            NbdOptionAnswer.Acknowledge(NbdOption.StartTls).Bytes, terms.Authentication, cancellationToken);
        return Step.Next;
    }

    private async Task<Step> AgreeOnStructuredRepliesAsync(byte[] data)
    {
        if (data.Length != 0)
            return await RefuseAsync(NbdOption.StructuredReply, NbdOptionReply.Invalid, "NBD_OPT_STRUCTURED_REPLY has no data.");

        _structuredReplies = true;
        return await SayAsync(NbdOptionAnswer.Acknowledge(NbdOption.StructuredReply));
    }

    private async Task<Step> DescribeAsync(NbdOption option, byte[] data, CancellationToken cancellationToken)
    {
        if (!NbdExportQuery.TryRead(data, out var query))
            return await RefuseAsync(option, NbdOptionReply.Invalid, "The option's data are not as the protocol has them.");

        var found = await FindAsync(query.Name, cancellationToken);
        if (found.Export is not { } export)
            return await RefuseAsync(option, NbdOptionReply.UnknownExport, found.WhyNot);

        var answer = new NbdOptionAnswer(option);
        answer.AddExport(export.Size, Flags);
        if (query.Wanted.Contains(NbdInfo.Name))
            answer.AddText(NbdInfo.Name, export.Name);
        if (query.Wanted.Contains(NbdInfo.Description) && export.Description.Length > 0)
            answer.AddText(NbdInfo.Description, export.Description);
        if (query.Wanted.Contains(NbdInfo.BlockSize))
            answer.AddBlockSize(minimum: 1, PreferredBlockSize, NbdRequestCheck.MaxDataLength);

        return await SayAsync(answer.Acknowledge(), option == NbdOption.Go ? Step.Over(MakeSession(query.Name, export)) : Step.Next);
    }

    private async Task<Step> TellContextsAsync(NbdOption option, byte[] data, CancellationToken cancellationToken)
    {
        if (!_structuredReplies)
            return await RefuseAsync(option, NbdOptionReply.Invalid, "Contexts need structured replies first.");
        if (!NbdContextQuery.TryRead(data, out var query))
            return await RefuseAsync(option, NbdOptionReply.Invalid, "The option's data are not as the protocol has them.");

        var found = await FindAsync(query.Name, cancellationToken);
        if (found.Export is null)
            return await RefuseAsync(option, NbdOptionReply.UnknownExport, found.WhyNot);

        var answer = new NbdOptionAnswer(option);
        if (option == NbdOption.SetMetaContext)
            _allocationOf = query.ChoosesAllocation ? query.Name : null;
        if (option == NbdOption.SetMetaContext ? query.ChoosesAllocation : query.ListsAllocation)
            answer.AddContext(option == NbdOption.SetMetaContext ? AllocationContext : 0, NbdContextQuery.Allocation);
        return await SayAsync(answer.Acknowledge());
    }

    /// <summary>Finds an export once, however many options name it.</summary>
    private async Task<(NbdExport? Export, string WhyNot)> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (_found is { } found && found.Name == name)
            return (found.Export, "");

        await DisposeAsync();
        try
        {
            if (await terms.Exports.FindAsync(name, cancellationToken) is not { } export)
                return (null, "There is no such export.");

            _found = (name, export);
            return (export, "");
        }
        catch (LibraryException error)
        {
            LogNotOpened(error.Code, error.Message);
            return (null, error.Message);
        }
    }

    private NbdSession MakeSession(string name, NbdExport export) =>
        new(export, _structuredReplies, BlockStatus: _structuredReplies && _allocationOf == name);

    private Task<Step> RefuseAsync(NbdOption option, NbdOptionReply error, string why) =>
        SayAsync(NbdOptionAnswer.Refuse(option, error, why));

    private Task<Step> SayAsync(NbdOptionAnswer answer) => SayAsync(answer, Step.Next);

    private async Task<Step> SayAsync(NbdOptionAnswer answer, Step then)
    {
        await channel.WriteAsync(answer.Bytes);
        return then;
    }

    [LoggerMessage(LogLevel.Warning, "An export could not be opened: {Code}: {Reason}")]
    private partial void LogNotOpened(string code, string reason);

    /// <param name="Data">Null where they are too long to be kept.</param>
    private readonly record struct Request(NbdOption Option, byte[]? Data);

    /// <summary>Whether the handshake goes on, and what came of it where it does not.</summary>
    private readonly record struct Step(bool IsOver, NbdSession? Session)
    {
        public static Step Next => default;

        public static Step Over(NbdSession? session) => new(true, session);
    }
}
