using System.Diagnostics.CodeAnalysis;
using Vitrine.Access;

namespace Vitrine.Quotas;

/// <summary>Names a quota for ever.</summary>
public readonly record struct QuotaId(Guid Value)
{
    public static QuotaId New() => new(Guid.CreateVersion7());

    public static bool TryParse(string? text, [NotNullWhen(true)] out QuotaId id)
    {
        var parsed = Guid.TryParseExact(text, "N", out var value);
        id = new QuotaId(value);
        return parsed;
    }

    public static QuotaId Parse(string text) => new(Guid.ParseExact(text, "N"));

    public override string ToString() => Value.ToString("N");
}

/// <summary>The most that a project may have of something.</summary>
/// <param name="Project">Null for every project that has none of its own.</param>
/// <param name="Limit">In the unit of the resource; <see cref="Unlimited"/> for as much as there is.</param>
public sealed record Quota(QuotaId Id, ProjectId? Project, QuotaResource Resource, long Limit, string Description)
{
    public const long Unlimited = -1;

    /// <summary>Far more than anybody has of anything, and as much as every client can read.</summary>
    public const long Largest = int.MaxValue;

    private const int MaxDescription = 255;

    /// <exception cref="InvalidFieldException">It is out of its bounds.</exception>
    public static Quota Check(Quota quota)
    {
        if (quota.Limit is < Unlimited or > Largest)
            throw new InvalidFieldException("limit", $"must be between 0 and {Largest}, or {Unlimited} for no limit");
        if (quota.Description.Length > MaxDescription || quota.Description.Any(char.IsControl))
            throw new InvalidFieldException("description", $"must have at most {MaxDescription} characters, and none that cannot be seen");

        return quota;
    }
}

/// <summary>What is limited, of all images that a project owns.</summary>
public enum QuotaResource
{
    /// <summary>In MiB: their content in each store that has it, and what is on its way there, as much as was announced or has come.</summary>
    Size,

    /// <summary>In MiB: what is staged, or being imported.</summary>
    Staged,

    /// <summary>Their number.</summary>
    Images,

    /// <summary>How many of them receive content, or are copied, at once.</summary>
    Uploading,
}

public static class QuotaResources
{
    private const long MiB = 1 << 20;

    /// <summary>What the limit counts, in bytes or pieces.</summary>
    public static long UnitOf(this QuotaResource resource) => resource is QuotaResource.Size or QuotaResource.Staged ? MiB : 1;
}

/// <summary>How much a project has, in bytes and pieces.</summary>
public readonly record struct QuotaUse(long Size, long Staged, long Images, long Uploading)
{
    public long Of(QuotaResource resource) => resource switch
    {
        QuotaResource.Size => Size,
        QuotaResource.Staged => Staged,
        QuotaResource.Images => Images,
        _ => Uploading,
    };
}

/// <summary>A limit as it holds for a project, and how much of it is used, both in the unit of the resource.</summary>
/// <param name="IsOwn">It is the project's own, and not every project's.</param>
public readonly record struct QuotaState(QuotaResource Resource, long Limit, long Use, bool IsOwn);
