using System.Text.Json.Serialization;

namespace Vitrine.Client;

/// <summary>What is where on the disk of an image.</summary>
/// <param name="Size">The length of the disk, in bytes.</param>
/// <param name="Items">In order, without gaps.</param>
/// <param name="Next">Where the next page begins, for <c>start</c>; null on the last.</param>
public sealed record ExtentPage(long Size, IReadOnlyList<ExtentRecord> Items, long? Next);

/// <param name="Start">In bytes from the disk's first.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Kind"><c>data</c>; <c>zero</c>, zeros that the content speaks of; <c>absent</c>, zeros that it does not.</param>
public sealed record ExtentRecord(long Start, long Length, string Kind);

/// <param name="Size">The length of the disk, in bytes.</param>
/// <param name="Sha256">Of the disk as the guest sees it, 64 lower-case hexadecimal digits.</param>
public sealed record DiskDigestRecord(long Size, string Sha256);

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ExportRequest
{
    /// <summary>How long the ticket holds, in seconds; a day unless given, thirty at most.</summary>
    public int? Lifetime { get; init; }
}

/// <summary>The disk of an image as a block device.</summary>
/// <param name="Ticket">The export's name, and a secret: whoever has it can read the disk.</param>
/// <param name="Addresses">NBD URIs of the node that answered.</param>
public sealed record ExportRecord(string Ticket, DateTimeOffset ExpiresAt, IReadOnlyList<string> Addresses)
{
    /// <summary>Never prints the ticket.</summary>
    public override string ToString() => $"an export until {ExpiresAt:u}";
}
