using Vitrine.Catalogue.Database;
using Vitrine.Images;
using Vitrine.Stores;

namespace Vitrine.Catalogue.Stores;

/// <summary>A replica as its table has it.</summary>
internal sealed class ReplicaRow
{
    public string Image { get; init; } = "";
    public string Store { get; init; } = "";
    public string State { get; init; } = "";

    /// <summary>The digits alone.</summary>
    public string? Digest { get; init; }

    public long? Size { get; init; }
    public long UpdatedAt { get; init; }

    public static ReplicaRow From(Replica replica) => new()
    {
        Image = replica.Image.ToString(),
        Store = replica.Store,
        State = replica.State.Word(),
        Digest = replica.Digest?.Hex,
        Size = replica.Size,
        UpdatedAt = Stored.Micros(replica.UpdatedAt),
    };

    public Replica ToReplica() => new(
        ImageId.Parse(Image), Store, Stored.Enum<ReplicaState>(State),
        Digest is null ? null : Content.Digest.Parse(Digest), Size, Stored.Time(UpdatedAt));
}
