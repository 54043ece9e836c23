namespace Vitrine.Stores.Chunked;

/// <summary>The store gives back other bytes than it was given. They are not passed on.</summary>
/// <param name="what">What is damaged, as the subject of a sentence.</param>
internal sealed class StoreDamagedException(string store, string what, Exception? inner = null)
    : LibraryException($"The store '{store}' is damaged: {what} does not have the bytes that were written.", inner)
{
    /// <summary>What is damaged, as the subject of a sentence.</summary>
    public string What { get; } = what;

    public override string Code => "store-damaged";

    public override string Remedy => "Ask the operator to check the store; another replica of the image is not affected.";
}
