using Vitrine.Nbd.Wire;

namespace Vitrine.Nbd;

/// <summary>Refuses what no export could serve, so that exports never see a bad request.</summary>
internal static class NbdRequestCheck
{
    /// <summary>The longest range of one read, in bytes, as clients are told it and as those assume who do not ask.</summary>
    public const uint MaxDataLength = 32 * 1024 * 1024;

    /// <summary>The longest read that is answered in one piece where a client insists on that; the protocol asks for 64 KiB.</summary>
    public const uint MaxUnfragmentedLength = 256 * 1024;

    public static NbdError Check(in NbdRequest request, NbdSession session) => request.Command switch
    {
        NbdCommand.Write or NbdCommand.Trim or NbdCommand.WriteZeroes => NbdError.NotPermitted,
        _ when (request.Flags & ~FlagsOf(request.Command, session)) != NbdCommandFlags.None => NbdError.Invalid,
        NbdCommand.Flush => NbdError.None,
        NbdCommand.Read when request.Length > MaxDataLength || !FitsIn(request, session.Export) => NbdError.Invalid,
        NbdCommand.Read when request is { Flags: NbdCommandFlags.DontFragment, Length: > MaxUnfragmentedLength } => NbdError.Overflow,
        NbdCommand.Read => NbdError.None,
        NbdCommand.BlockStatus when session.BlockStatus && request.Length > 0 && FitsIn(request, session.Export) => NbdError.None,
        _ => NbdError.Invalid,
    };

    /// <summary>The flags that the command may have.</summary>
    private static NbdCommandFlags FlagsOf(NbdCommand command, NbdSession session) => command switch
    {
        NbdCommand.Read when session.StructuredReplies => NbdCommandFlags.DontFragment,
        NbdCommand.BlockStatus => NbdCommandFlags.RequestOne,
        _ => NbdCommandFlags.None,
    };

    private static bool FitsIn(in NbdRequest request, NbdExport export) =>
        request.Offset <= (ulong)export.Size && request.Length <= (ulong)export.Size - request.Offset;
}
