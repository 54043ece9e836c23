using System.Diagnostics.CodeAnalysis;

namespace Vitrine.Nodes;

/// <summary>Names an examination for ever.</summary>
public readonly record struct ExaminationId(Guid Value)
{
    public static ExaminationId New() => new(Guid.CreateVersion7());

    public static bool TryParse(string? text, [NotNullWhen(true)] out ExaminationId id)
    {
        var parsed = Guid.TryParseExact(text, "D", out var value);
        id = new ExaminationId(value);
        return parsed;
    }

    public static ExaminationId Parse(string text) => new(Guid.ParseExact(text, "D"));

    public override string ToString() => Value.ToString("D");
}

/// <summary>All nodes are asked to look at themselves: each reads that in the catalogue, and writes there what it found.</summary>
/// <param name="Nodes">The names of those that there were when it was asked for.</param>
public sealed record Examination(ExaminationId Id, IReadOnlyList<string> Nodes, DateTimeOffset AskedAt)
{
    /// <summary>No node is waited for longer than this, and none begins to look later.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>After this it is forgotten.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(1);

    /// <summary>An address that somebody means to import from, with everything secret taken out; null where none is in question.</summary>
    public string? Url { get; init; }

    /// <summary>The whole address, encrypted by <see cref="Access.ISecretProtector"/>.</summary>
    public string? UrlSecret { get; init; }

    public bool IsOpen(DateTimeOffset now) => now - AskedAt < Patience;
}

/// <summary>An examination, and how far it is at this moment.</summary>
/// <param name="Diagnoses">What the nodes found that have answered, by their names.</param>
/// <param name="Awaited">The names of those that have not answered yet.</param>
/// <param name="Silent">The names of those that are not waited for any more: they gave no sign of life, or no answer in time.</param>
public sealed record ExaminationStanding(
    Examination Examination, IReadOnlyList<Diagnosis> Diagnoses, IReadOnlyList<string> Awaited, IReadOnlyList<string> Silent)
{
    public bool IsOver => Awaited.Count == 0;

    /// <summary>The worst of all; a silent node is no worse than the warning that others have of it.</summary>
    public Verdict Verdict => Diagnoses.Select(d => d.Verdict).Append(Silent.Count > 0 ? Verdict.Warn : Verdict.Ok).Max();

    /// <param name="living">The names of the nodes that give signs of life.</param>
    public static ExaminationStanding Of(Examination examination, IReadOnlyList<Diagnosis> diagnoses, IReadOnlySet<string> living, DateTimeOffset now)
    {
        var missing = examination.Nodes.Except(diagnoses.Select(d => d.Node)).ToLookup(n => examination.IsOpen(now) && living.Contains(n));
        return new ExaminationStanding(examination, diagnoses, [.. missing[true]], [.. missing[false]]);
    }
}

/// <summary>Where nodes are asked to look at themselves, and answer.</summary>
public interface IExaminationCatalogue
{
    Task AddAsync(Examination examination, CancellationToken cancellationToken);

    /// <returns>The examination with what was answered, by the names of nodes; null where there is none.</returns>
    Task<(Examination Examination, IReadOnlyList<Diagnosis> Diagnoses)?> FindAsync(ExaminationId id, CancellationToken cancellationToken);

    /// <summary>Those that were asked for since, and that the node has not answered, the oldest first.</summary>
    Task<IReadOnlyList<Examination>> ListUnansweredAsync(string node, DateTimeOffset since, CancellationToken cancellationToken);

    /// <summary>Writes what a node found. The first answer stays, and one to what was forgotten is none.</summary>
    Task AnswerAsync(ExaminationId id, Diagnosis diagnosis, CancellationToken cancellationToken);

    /// <summary>Forgets those that are older.</summary>
    Task PruneAsync(DateTimeOffset before, CancellationToken cancellationToken);
}

public sealed class ExaminationNotFoundException(string id) : LibraryException($"There is no examination {id}.")
{
    public override string Code => "examination-not-found";

    public override string Remedy => "Begin a new one: those of yesterday are forgotten.";
}
