namespace Vitrine.Stores;

public sealed class StoreNotFoundException(string name) : LibraryException($"There is no store '{name}'.")
{
    public string Name { get; } = name;

    public override string Code => "store-not-found";

    public override string Remedy => "List the stores to see their names.";
}

public sealed class ZoneNotFoundException(string name) : LibraryException($"No store is in a zone '{name}'.")
{
    public override string Code => "zone-not-found";

    public override string Remedy => "List the stores to see their zones.";
}

public sealed class StoreExistsException(string name) : LibraryException($"There is a store '{name}' already, or was one.")
{
    public override string Code => "store-exists";

    public override string Remedy => "Choose another name; the list of stores has those that are taken.";
}

/// <summary>A new store would be in a place that is not its own.</summary>
/// <param name="reason">What is the case, as a sentence without a path.</param>
public sealed class StoreInUseException(string store, string reason) : LibraryException($"The store '{store}' cannot be there: {reason}")
{
    public override string Code => "store-in-use";

    public override string Remedy => "Choose an empty directory, an empty bucket or another prefix. A store that has images already is configured, not added.";
}

/// <summary>An operator has closed the store to new content.</summary>
public sealed class StoreClosedException(string store, StoreMode mode)
    : LibraryException($"The store '{store}' takes no new content: it is {(mode is StoreMode.Draining ? "being drained" : "read-only")}.")
{
    public override string Code => "store-closed";

    public override string Remedy => "Name another store, or ask the operator to open it.";
}

/// <summary>The image has no replica in the store.</summary>
public sealed class ReplicaNotFoundException(Images.ImageId image, string store) : LibraryException($"Image {image} is not in the store '{store}'.")
{
    public override string Code => "replica-not-found";

    public override string Remedy => "Show the image to see which stores have it.";
}

/// <summary>The image has, or is receiving, a replica in each of the stores.</summary>
public sealed class ReplicaExistsException(Images.ImageId image, IEnumerable<string> stores)
    : LibraryException($"Image {image} is in {string.Join(", ", stores)} already, or on its way there.")
{
    public override string Code => "replica-exists";

    public override string Remedy => "Name a store that does not have the image.";
}

/// <summary>The replica is still on its way.</summary>
public sealed class ReplicaExpectedException(Images.ImageId image, string store) : LibraryException($"Image {image} is on its way to the store '{store}'.")
{
    public override string Code => "replica-expected";

    public override string Remedy => "Cancel the transfer that brings it, or wait for its end.";
}

/// <summary>Without this replica the image would have no content.</summary>
public sealed class LastReplicaException(Images.ImageId image, string store)
    : LibraryException($"The store '{store}' has the only content of image {image}.")
{
    public override string Code => "last-replica";

    public override string Remedy => "Copy the image to another store first, or delete the image.";
}

/// <summary>The library itself would bring the replica back.</summary>
/// <param name="reason">Why it is wanted there, as a sentence.</param>
public sealed class ReplicaWantedException(Images.ImageId image, string store, string reason)
    : LibraryException($"Image {image} is wanted in the store '{store}': {reason}")
{
    public override string Code => "replica-wanted";

    public override string Remedy => "Say first that it is not wanted there any more: of the image that it need not be in all zones, or of the store that it does not replicate to this one; or close this one.";
}

/// <summary>The store has no room for the content.</summary>
/// <param name="needed">Bytes that were to be written; null where that is not known.</param>
/// <param name="free">Bytes that are free; null where that is not known.</param>
public sealed class StoreFullException(string store, long? needed, long? free, Exception? inner = null)
    : LibraryException($"The store '{store}' is full: {Bytes(needed)} are needed, {Bytes(free)} are free.", inner)
{
    public string Store { get; } = store;
    public long? Needed { get; } = needed;
    public long? Free { get; } = free;

    public override string Code => "store-full";

    public override string Remedy => "Delete images that are not needed, or ask the operator to enlarge the store.";

    private static string Bytes(long? count) => count is { } known ? $"{known} bytes" : "an unknown number of bytes";
}

/// <summary>The store cannot be used, whoever asks.</summary>
/// <param name="reason">What is the case, as a sentence without a path.</param>
public sealed class StoreUnavailableException(string store, string reason, Exception? inner = null)
    : LibraryException($"The store '{store}' cannot be used: {reason}", inner)
{
    public string Store { get; } = store;

    public override string Code => "store-unavailable";

    public override string Remedy => "Ask the operator to look at the store: its mount or its server, the rights there, and the room.";
}

/// <summary>This node does not reach the store: it is another zone's.</summary>
public sealed class StoreElsewhereException(string store, string node) : LibraryException($"Node {node} does not reach the store '{store}'.")
{
    public override string Code => "store-elsewhere";

    public override string Remedy => "Send to a node that reaches the store; the list of nodes says which do.";
}

/// <summary>The store gives back other bytes than it was given. They are not passed on.</summary>
/// <param name="what">What is damaged, as the subject of a sentence.</param>
public sealed class StoreDamagedException(string store, string what, Exception? inner = null)
    : LibraryException($"The store '{store}' is damaged: {what} does not have the bytes that were written.", inner)
{
    public string Store { get; } = store;

    /// <summary>What is damaged, as the subject of a sentence.</summary>
    public string What { get; } = what;

    public override string Code => "store-damaged";

    public override string Remedy => "Ask the operator to scrub the store, which names all images concerned; replicas in other stores are not affected.";
}

/// <summary>A check has found that the store does otherwise than every store promises.</summary>
/// <param name="found">What was found, as a sentence.</param>
public sealed class StorePromiseException(string store, string found)
    : LibraryException($"The store '{store}' does not keep what every store promises: {found}")
{
    public override string Code => "store-promise";

    public override string Remedy =>
        "Keep no images there before that is put right: look at what stands between the library and the bytes, as options of the mount, caches and proxies.";
}

/// <summary>Two writers may not write under one key at once.</summary>
public sealed class WriterBusyException(StagingKey key) : LibraryException($"Another writer of {key} is open.")
{
    public StagingKey Key { get; } = key;

    internal const string Word = "writer-busy";

    public override string Code => Word;

    public override string Remedy => "Wait until the other writer has ended.";
}

/// <summary>The store is of a kind in which there is nothing to do of what is asked.</summary>
/// <param name="reason">Why, as a sentence about the kind.</param>
public sealed class UpkeepNotSupportedException(LibraryStore store, string reason)
    : LibraryException($"The store '{store.Name}' is of the kind {store.Kind}: {reason}")
{
    public override string Code => "upkeep-not-supported";

    public override string Remedy => "Name a store of another kind; the list of stores has the kinds.";
}

/// <summary>One operation of a store at a time.</summary>
public sealed class StoreBusyException(string store) : LibraryException($"Another operation of the store '{store}' is not over.")
{
    public string Store { get; } = store;

    public override string Code => "store-busy";

    public override string Remedy => "Look at the store's operations, and ask again when the other is over.";
}

public sealed class StoreOperationNotFoundException(string id) : LibraryException($"There is no operation {id} of this store.")
{
    public override string Code => "operation-not-found";

    public override string Remedy => "List the store's operations: those that are long over are forgotten.";
}
