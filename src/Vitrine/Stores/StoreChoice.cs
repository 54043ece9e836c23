namespace Vitrine.Stores;

/// <summary>Where content is wanted: in stores by name, in a zone, or everywhere. Nothing said is the default store.</summary>
public sealed record StoreChoice
{
    /// <summary>The first of them receives the content, and the others a copy.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Of this zone the default store, or else the first by name.</summary>
    public string? Zone { get; init; }

    /// <summary>Every store that takes new content.</summary>
    public bool All { get; init; }

    /// <summary>One store; null for the default one.</summary>
    public static StoreChoice? Of(string? name) => name is null ? null : new StoreChoice { Names = [name] };
}
