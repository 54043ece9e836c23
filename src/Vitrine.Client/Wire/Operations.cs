using System.Text.Json.Serialization;

namespace Vitrine.Client;

/// <summary>A store, as it is configured and as it is now.</summary>
public sealed record StoreRecord
{
    public required string Name { get; init; }
    public required string Zone { get; init; }

    /// <summary>The backend: <c>directory</c>, <c>chunked</c>, <c>s3</c> or <c>rbd</c>.</summary>
    public required string Kind { get; init; }

    public required string Description { get; init; }

    /// <summary>Receives content when nobody names a store.</summary>
    public required bool IsDefault { get; init; }

    /// <summary><c>open</c>, <c>readonly</c>, or <c>draining</c>: read from only where no other store has what is wanted.</summary>
    public required string Mode { get; init; }

    /// <summary>The format that the store keeps disks in, by the one that they arrive in. Null where only other nodes can reach the store.</summary>
    public IReadOnlyDictionary<string, string>? Convert { get; init; }

    /// <summary>By which copies between stores reach its server, where they take another address than all else. Shown to administrators, of one store.</summary>
    public string? SyncAddress { get; init; }

    /// <summary>The stores that get by themselves all that this one has. Shown to administrators, of one store.</summary>
    public IReadOnlyList<string>? ReplicatesTo { get; init; }

    /// <summary>Bytes can be written, read and removed. Null where only other nodes can reach the store.</summary>
    public bool? Healthy { get; init; }

    /// <summary>Why it is not healthy.</summary>
    public string? Problem { get; init; }

    /// <summary>Bytes in all; null where the store has no bound or does not answer.</summary>
    public long? Total { get; init; }

    /// <summary>Bytes that can still be written; null where the store has no bound or does not answer.</summary>
    public long? Free { get; init; }

    public required long Images { get; init; }

    /// <summary>How many of them have moved to other stores, and wait here for a clean-up.</summary>
    public required long RetiredImages { get; init; }

    /// <summary>The sum of the sizes of those, in bytes.</summary>
    public required long RetiredBytes { get; init; }

    /// <summary>The sum of the sizes of all images in the store, in bytes.</summary>
    public required long LogicalBytes { get; init; }

    /// <summary>What the store keeps, in bytes: the distinct contents, or, where equal parts are kept once, its packs and maps.</summary>
    public required long StoredBytes { get; init; }
}

public sealed record StoreList(IReadOnlyList<StoreRecord> Items);

/// <summary>A store that is added while the library runs.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record StoreCreate
{
    /// <summary>1 to 63 lower-case letters, digits, dashes and underscores.</summary>
    public string? Name { get; init; }

    /// <inheritdoc cref="StoreRecord.Kind"/>
    public string? Kind { get; init; }

    /// <summary>The directory of a store of the kinds <c>directory</c> and <c>chunked</c>, the same on every node of the zone.</summary>
    public string? Path { get; init; }

    /// <summary>What the configuration has below a store's name, as <c>S3:Bucket</c>. None of it is ever shown.</summary>
    public IReadOnlyDictionary<string, string>? Settings { get; init; }

    /// <summary>Null for the zone of the node that is asked; it must be that.</summary>
    public string? Zone { get; init; }

    public string? Description { get; init; }

    /// <inheritdoc cref="StoreRecord.SyncAddress"/>
    public string? SyncAddress { get; init; }
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record StoreChange
{
    /// <summary>As <see cref="StoreRecord.Mode"/> has it; null to leave it.</summary>
    public string? Mode { get; init; }

    /// <summary>As <see cref="StoreRecord.SyncAddress"/> has it; null to leave it, an empty text for none.</summary>
    public string? SyncAddress { get; init; }

    /// <summary>As <see cref="StoreRecord.ReplicatesTo"/> has it; null to leave it, an empty list for none.</summary>
    public IReadOnlyList<string>? ReplicatesTo { get; init; }
}

/// <summary>What was left in a store by an image that moved away.</summary>
/// <param name="Image">The id of the image.</param>
/// <param name="RetiredAt">When the image had arrived elsewhere.</param>
public sealed record RetiredReplicaRecord(string Image, string? Name, long Size, DateTimeOffset RetiredAt);

public sealed record RetiredReplicaList(IReadOnlyList<RetiredReplicaRecord> Items);

public sealed record ZoneRecord(string Name, string Description);

public sealed record ZoneList(IReadOnlyList<ZoneRecord> Items);

/// <summary>A machine that runs the library.</summary>
public sealed record NodeRecord
{
    public required string Name { get; init; }
    public required string Zone { get; init; }

    /// <summary><c>api</c>, <c>transfer</c>, or both.</summary>
    public required IReadOnlyList<string> Roles { get; init; }

    /// <summary><c>up</c>, <c>draining</c>, <c>drained</c>, or <c>silent</c>: it gave no sign of life lately.</summary>
    public required string State { get; init; }

    /// <summary><c>open</c>, or <c>draining</c>: what operators let it do, over restarts.</summary>
    public required string Mode { get; init; }

    /// <summary>Where its API listens, as a URL.</summary>
    public required string Address { get; init; }

    public required string Version { get; init; }

    /// <summary>Processors that it may use.</summary>
    public required int Cores { get; init; }

    /// <summary>Bytes of memory that it may use.</summary>
    public required long Memory { get; init; }

    /// <summary>How many imports and copies it may run at once; null for as many as there are.</summary>
    public long? TransferLimit { get; init; }

    /// <summary>How many transfers of every kind it works on.</summary>
    public required int Transfers { get; init; }

    /// <summary>How many operations of stores it works on.</summary>
    public required int Operations { get; init; }

    /// <summary>The names of the stores that it reaches.</summary>
    public required IReadOnlyList<string> Stores { get; init; }

    public required DateTimeOffset StartedAt { get; init; }
    public required DateTimeOffset Heartbeat { get; init; }

    /// <summary>In the answer to a change: what the operator should know; null where there is nothing.</summary>
    public string? Warning { get; init; }
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record NodeChange
{
    /// <inheritdoc cref="NodeRecord.Mode"/>
    public string? Mode { get; init; }
}

/// <summary>How much may happen at once.</summary>
/// <param name="Value">What holds now; null for no limit.</param>
/// <param name="Configured">What the configuration says; null for no limit.</param>
/// <param name="Decided">Operators decided it while the library runs, whatever the configuration says.</param>
/// <param name="Meaning">What is counted, in words.</param>
public sealed record LimitRecord(string Name, long? Value, long? Configured, bool Decided, string Meaning);

public sealed record LimitList(IReadOnlyList<LimitRecord> Items);

public sealed record NodeList(IReadOnlyList<NodeRecord> Items);

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ProbeRequest
{
    public string? Url { get; init; }

    /// <summary>Never prints the address, which may hold a password.</summary>
    public override string ToString() => "probe";
}

/// <summary>What a source says about a file, without the file being fetched.</summary>
/// <param name="FinalAddress">After all redirects, with everything secret taken out.</param>
/// <param name="Status">The protocol's own status number.</param>
/// <param name="CanResume">The source gives parts of the file.</param>
/// <param name="Certificate">The subject and end of the server's certificate; null without TLS.</param>
public sealed record ProbeRecord(
    string FinalAddress, int Status, long? Length, string? ContentType, bool CanResume, string? Validator, string? Certificate);

/// <summary>What a node found when it looked at itself.</summary>
/// <param name="Verdict">The worst of the findings.</param>
public sealed record DoctorRecord(string Node, string Verdict, IReadOnlyList<FindingRecord> Findings);

/// <param name="Verdict"><c>ok</c>, <c>warn</c> or <c>fail</c>.</param>
/// <param name="Remedy">What can be done; null where all is well.</param>
public sealed record FindingRecord(string Check, string Verdict, string Detail, string? Remedy);

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ExaminationRequest
{
    /// <summary>An address that somebody means to import from; null where none is in question.</summary>
    public string? Url { get; init; }

    /// <summary>Never prints the address, which may hold a password.</summary>
    public override string ToString() => "examination";
}

/// <summary>All nodes are asked to look at themselves.</summary>
public sealed record ExaminationRecord
{
    public required string Id { get; init; }

    /// <summary>The address in question with everything secret taken out; null where none is.</summary>
    public string? Url { get; init; }

    /// <summary>No node is waited for any more.</summary>
    public required bool Over { get; init; }

    /// <summary>The worst of all findings so far; a silent node is a <c>warn</c>.</summary>
    public required string Verdict { get; init; }

    /// <summary>What the nodes found that have answered.</summary>
    public required IReadOnlyList<DoctorRecord> Nodes { get; init; }

    /// <summary>The names of those that have not answered yet.</summary>
    public required IReadOnlyList<string> Awaited { get; init; }

    /// <summary>The names of those that gave no sign of life, or no answer in time.</summary>
    public required IReadOnlyList<string> Silent { get; init; }

    public required DateTimeOffset AskedAt { get; init; }
}

/// <summary>Why a request was refused, as RFC 9457 has it.</summary>
/// <param name="Title">The phrase of the status.</param>
/// <param name="Detail">A sentence for a person.</param>
/// <param name="Code">A word for the failure that never changes, for programs: <c>checksum-mismatch</c>.</param>
/// <param name="Field">The field of the request that broke a rule; null where none did.</param>
/// <param name="Remedy">What the caller can do about it.</param>
/// <param name="RequestId">Finds the request in the node's log.</param>
public sealed record ProblemRecord(
    string Type, string Title, int Status, string Detail, string Code, string? Field, string Remedy, string RequestId);
