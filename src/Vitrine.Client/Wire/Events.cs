namespace Vitrine.Client;

/// <summary>Something that became of an image or of a transfer.</summary>
public sealed record EventRecord
{
    /// <summary>The id of the image, or of the image that the transfer is for.</summary>
    public required string Image { get; init; }

    /// <summary>The id of the transfer whose state changed; null where the image's did.</summary>
    public string? Transfer { get; init; }

    /// <summary>The id of the project whose it is.</summary>
    public required string Project { get; init; }

    /// <summary>The state from now on, in the words of images or of transfers; <c>disabled</c> and <c>enabled</c> of active images, too.</summary>
    public required string State { get; init; }

    /// <summary>The state before; null where there was none.</summary>
    public string? Previous { get; init; }

    /// <summary>The code of the failure, where the state is one.</summary>
    public string? Failure { get; init; }

    public required DateTimeOffset At { get; init; }
}
