using System.Text.Json.Serialization;

namespace Vitrine.Client;

/// <summary>An image: what is said of it and, once it is active, what is known of its content.</summary>
/// <remarks>Words are in lower case: a status is <c>active</c>, an architecture <c>x86_64</c>.</remarks>
public sealed record ImageRecord
{
    public required string Id { get; init; }
    public string? Name { get; init; }
    public required string Description { get; init; }

    /// <summary><c>queued</c>, <c>saving</c>, <c>importing</c>, <c>active</c> or <c>failed</c>.</summary>
    public required string Status { get; init; }

    /// <summary>A disabled image keeps its status and content, but cannot be used or downloaded.</summary>
    public required bool Enabled { get; init; }

    /// <summary><c>system</c>, <c>volume</c> or <c>iso</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>What the bytes are, as <c>qcow2</c>; null until it is said or recognised.</summary>
    public string? Format { get; init; }

    /// <summary>What wraps the bytes, as <c>bare</c>.</summary>
    public string? Container { get; init; }

    public string? Architecture { get; init; }
    public string? Platform { get; init; }
    public string? Os { get; init; }
    public required bool Virtio { get; init; }

    /// <summary>What was asked for; null leaves the choice to the library.</summary>
    public string? Firmware { get; init; }

    /// <summary>What a guest gets: the firmware that was asked for, or else the one that the architecture needs.</summary>
    public required string EffectiveFirmware { get; init; }

    public required bool Csm { get; init; }
    public required bool BareMetal { get; init; }

    /// <summary>The smallest disk of a guest, in GiB.</summary>
    public required int MinDisk { get; init; }

    /// <summary>The least memory of a guest, in MiB.</summary>
    public required int MinMemory { get; init; }

    /// <summary><c>private</c>, <c>shared</c>, <c>community</c> or <c>public</c>.</summary>
    public required string Visibility { get; init; }

    /// <summary>The id of the project that owns the image.</summary>
    public required string Owner { get; init; }

    public required string Domain { get; init; }
    public required bool Protected { get; init; }
    public required bool Hidden { get; init; }

    /// <summary>The library copies it by itself to every zone that does not have it, those that are added later too.</summary>
    public bool AllZones { get; init; }

    public required IReadOnlyList<string> Tags { get; init; }
    public required IReadOnlyDictionary<string, string> Properties { get; init; }

    /// <summary>The length of the content in bytes, from the moment it is known.</summary>
    public long? Size { get; init; }

    /// <summary>The length of the guest's disk in bytes; null where the content is no disk.</summary>
    public long? VirtualSize { get; init; }

    /// <summary>The sum of the content as it is stored and downloaded, in 64 lower-case hexadecimal digits.</summary>
    public string? Sha256 { get; init; }

    public string? Md5 { get; init; }
    public string? Sha512 { get; init; }

    /// <summary>Where the content came from, without credentials; null for uploads.</summary>
    public string? Source { get; init; }

    /// <summary>The file that the content was made of; null where the content is the file as it came.</summary>
    public SourceFileRecord? SourceFile { get; init; }

    /// <summary>The transfer that is bringing the content, or that failed to; null where the image is active or waits for one.</summary>
    public TransferRecord? Transfer { get; init; }

    /// <summary>Why there is no content; null unless the image failed.</summary>
    public FailureRecord? Failure { get; init; }

    public required IReadOnlyList<ReplicaRecord> Replicas { get; init; }

    /// <summary>What is allowed but likely not to be what was meant, as sentences.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>A file as it was published, which is kept no longer once its content was unpacked.</summary>
/// <param name="Sha256">What a publisher's SHA-256 is to be compared with, in 64 lower-case hexadecimal digits.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Wrapper"><c>gzip</c>, <c>bzip2</c>, <c>xz</c>, <c>zstd</c> or <c>zip</c>; null where it was not packed.</param>
/// <param name="Format">What the disk in it was, where the store keeps that in another format; null where it does not.</param>
public sealed record SourceFileRecord(string Sha256, long Size, string? Wrapper, string? Format);

/// <summary>One image's content in one store.</summary>
/// <param name="State">
/// <c>receiving</c>, <c>ready</c>, <c>failed</c> (the copy ended without content), or <c>retired</c> (the image was moved away, and the
/// content waits for a clean-up).
/// </param>
public sealed record ReplicaRecord(string Store, string State, long? Size, DateTimeOffset UpdatedAt);

/// <summary>Describes a new image, and says where its content comes from: a source, an upload that follows, or neither yet.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ImageCreate
{
    public string? Name { get; init; }
    public string? Description { get; init; }
    public string? Kind { get; init; }
    public string? Format { get; init; }
    public string? Container { get; init; }
    public string? Architecture { get; init; }
    public string? Platform { get; init; }
    public string? Os { get; init; }
    public bool? Virtio { get; init; }
    public string? Firmware { get; init; }
    public bool? Csm { get; init; }
    public bool? BareMetal { get; init; }
    public int? MinDisk { get; init; }
    public int? MinMemory { get; init; }
    public IReadOnlyDictionary<string, string>? Properties { get; init; }
    public IReadOnlyList<string>? Tags { get; init; }
    public bool? Protected { get; init; }
    public string? Visibility { get; init; }

    /// <inheritdoc cref="ImageRecord.AllZones"/>
    public bool? AllZones { get; init; }

    public ImageSource? Source { get; init; }
    public UploadRequest? Upload { get; init; }
}

/// <summary>An address that the library fetches content from.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ImageSource
{
    public string? Url { get; init; }

    /// <summary>More addresses of the same file, which the transfer goes on at where one fails.</summary>
    public IReadOnlyList<string>? Mirrors { get; init; }

    /// <summary>
    /// What the publisher says the sum of the file is: <c>sha256:…</c>, or bare digits whose number names the algorithm;
    /// <c>auto</c> has the library look for <c>SHA256SUMS</c> and its kin beside the file.
    /// </summary>
    public string? Checksum { get; init; }

    /// <summary>The store that receives the content. Default: the library's default store.</summary>
    public string? Store { get; init; }

    /// <summary>Several stores in its place: the first receives the content, the others a copy as soon as it is there.</summary>
    public IReadOnlyList<string>? Stores { get; init; }

    /// <summary>A zone in its place: its default store receives the content.</summary>
    public string? Zone { get; init; }

    /// <summary>Every store that takes new content, in its place.</summary>
    public bool? AllStores { get; init; }

    /// <summary>Makes a second image of an address that the project has one of.</summary>
    public bool? AllowDuplicate { get; init; }

    /// <summary>Never prints the address, which may hold a password.</summary>
    public override string ToString() => "source";
}

/// <summary>Copies an image to stores that do not have it.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CopyRequest
{
    /// <summary>The stores that receive a copy.</summary>
    public IReadOnlyList<string>? Stores { get; init; }

    /// <summary>A zone in their place: its default store receives a copy.</summary>
    public string? Zone { get; init; }

    /// <summary>Every store that takes new content and does not have the image, in their place.</summary>
    public bool? AllStores { get; init; }

    /// <summary>The store that it is read from. Default: any that has it.</summary>
    public string? From { get; init; }

    /// <summary>Gives up the replica that it is made of; its content stays until the store is cleaned up.</summary>
    public bool? Move { get; init; }
}

/// <summary>Announces content that the client sends by tus.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record UploadRequest
{
    /// <summary>The length of the file in bytes.</summary>
    public long? Length { get; init; }

    /// <summary>What the sum of the file is: <c>sha256:…</c>, or bare digits whose number names the algorithm.</summary>
    public string? Checksum { get; init; }

    /// <inheritdoc cref="ImageSource.Store"/>
    public string? Store { get; init; }

    /// <inheritdoc cref="ImageSource.Stores"/>
    public IReadOnlyList<string>? Stores { get; init; }

    /// <inheritdoc cref="ImageSource.Zone"/>
    public string? Zone { get; init; }

    /// <inheritdoc cref="ImageSource.AllStores"/>
    public bool? AllStores { get; init; }
}

/// <summary>A change of an image, as a JSON merge patch (RFC 7396): what is not said stays, what is null is cleared.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ImageChange
{
    public string? Name { get; init; }
    public string? Description { get; init; }

    /// <summary>Can be changed as long as the image has no content.</summary>
    public string? Format { get; init; }

    /// <summary>Can be changed as long as the image has no content.</summary>
    public string? Container { get; init; }

    public string? Architecture { get; init; }
    public string? Platform { get; init; }
    public string? Os { get; init; }
    public bool? Virtio { get; init; }
    public string? Firmware { get; init; }
    public bool? Csm { get; init; }
    public bool? BareMetal { get; init; }
    public int? MinDisk { get; init; }
    public int? MinMemory { get; init; }

    /// <summary>Properties that are not named stay; those with the value null go.</summary>
    public IReadOnlyDictionary<string, string?>? Properties { get; init; }

    /// <summary>All tags, in the place of those there are.</summary>
    public IReadOnlyList<string>? Tags { get; init; }

    public bool? Protected { get; init; }
    public bool? Hidden { get; init; }

    /// <inheritdoc cref="ImageRecord.AllZones"/>
    public bool? AllZones { get; init; }

    public string? Visibility { get; init; }

    /// <summary>The fields, as they are spelt on the wire, that the client sends as null.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Cleared { get; init; } = [];
}

/// <summary>A new image, and the way its content comes.</summary>
/// <param name="Transfer">The import that was begun; null where the image has no source.</param>
/// <param name="Upload">Where to send the content; null where no upload was announced.</param>
public sealed record ImageCreated(ImageRecord Image, TransferRecord? Transfer, UploadRecord? Upload);

/// <summary>An upload that has begun.</summary>
/// <param name="Url">Where to send the bytes by tus 1.0: a path on the same server.</param>
/// <param name="Offset">How many bytes the library has.</param>
public sealed record UploadRecord(string Transfer, string Url, long Length, long Offset);

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record UploadTicketRequest
{
    /// <summary>How long the ticket holds, in seconds; an hour unless given, seven days at most.</summary>
    public int? Lifetime { get; init; }
}

/// <summary>An address to send the content of one upload to without a login, for a page in a browser.</summary>
/// <param name="Url">A path on the same server, and a secret: whoever has it can send the content.</param>
public sealed record UploadTicketRecord(string Transfer, string Url, DateTimeOffset ExpiresAt)
{
    /// <summary>Never prints the ticket.</summary>
    public override string ToString() => $"a ticket for upload {Transfer} until {ExpiresAt:u}";
}

/// <summary>Where, and with which headers, to send the content of an image once as a file of a form, without a login.</summary>
/// <param name="PostURL">A URL.</param>
/// <param name="Metadata">The header <c>X-metadata</c>, and a secret.</param>
/// <param name="Expires">The header <c>X-expires</c>: a time in UTC with milliseconds.</param>
/// <param name="Signature">The header <c>X-signature</c>, and a secret.</param>
public sealed record UploadFormRecord(string Image, [property: JsonPropertyName("postURL")] string PostURL, string Metadata, string Expires, string Signature)
{
    /// <summary>Never prints the secrets.</summary>
    public override string ToString() => $"a form for image {Image} until {Expires}";
}

/// <summary>A project an image is shared with.</summary>
/// <param name="Status">Its answer: <c>pending</c>, <c>accepted</c> or <c>rejected</c>.</param>
public sealed record MemberRecord(string Image, string Project, string Status, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>A member's answer; without one, the image is shared with the project.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record MemberAnswer
{
    public string? Status { get; init; }
}

public sealed record MemberList(IReadOnlyList<MemberRecord> Items);

/// <summary>One page of images.</summary>
/// <param name="Next">The cursor of the next page; null on the last.</param>
public sealed record ImagePage(IReadOnlyList<ImageRecord> Items, string? Next);
