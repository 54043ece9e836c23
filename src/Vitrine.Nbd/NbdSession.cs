namespace Vitrine.Nbd;

/// <summary>What a client and the server agreed upon.</summary>
/// <param name="StructuredReplies">Reads are answered in chunks.</param>
/// <param name="BlockStatus">The client may ask what is where, in the words of base:allocation.</param>
internal sealed record NbdSession(NbdExport Export, bool StructuredReplies, bool BlockStatus);
