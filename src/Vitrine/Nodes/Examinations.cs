using System.Security.Cryptography;
using Vitrine.Access;
using Vitrine.Transfers;

namespace Vitrine.Nodes;

/// <summary>Has all nodes look at themselves. They meet in the catalogue alone, so that no node has to reach another.</summary>
public sealed class Examinations(
    IExaminationCatalogue examinations, INodeCatalogue nodes, Doctor doctor, SourceRegistry sources, ISecretProtector secrets, ThisNode node, TimeProvider time)
{
    public const string Action = "examine the nodes";

    private const int LongestShownId = 64;

    /// <param name="url">An address that somebody means to import from; null where none is in question.</param>
    /// <exception cref="InvalidFieldException">It is no address. That a policy refuses it is for each node to find.</exception>
    public async Task<ExaminationStanding> BeginAsync(string? url, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireAdmin(Action);
        var names = (await nodes.ListAsync(cancellationToken)).Select(n => n.Name);
        var examination = new Examination(ExaminationId.New(), [.. names], time.Now())
        {
            Url = url is null ? null : SourceAddress.Redact(sources.Read(url)),
            UrlSecret = url is null ? null : secrets.Protect(url),
        };
        await examinations.AddAsync(examination, cancellationToken);
        return await StandingOfAsync(examination, [], cancellationToken);
    }

    /// <exception cref="ExaminationNotFoundException">There is none.</exception>
    public async Task<ExaminationStanding> GetAsync(string id, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireAdmin(Action);
        return ExaminationId.TryParse(id, out var parsed) && await examinations.FindAsync(parsed, cancellationToken) is var (found, diagnoses)
            ? await StandingOfAsync(found, diagnoses, cancellationToken)
            : throw new ExaminationNotFoundException(id.Length <= LongestShownId ? id : id[..LongestShownId] + "…");
    }

    /// <summary>Has this node answer what it was asked since its last beat.</summary>
    public async Task AnswerAsync(CancellationToken cancellationToken)
    {
        var asked = await examinations.ListUnansweredAsync(node.Name, time.GetUtcNow() - Examination.Patience, cancellationToken);
        foreach (var examination in asked.Where(e => e.IsOpen(time.GetUtcNow())))
            await examinations.AnswerAsync(examination.Id, await ExamineAsync(examination, cancellationToken), cancellationToken);
    }

    /// <summary>Forgets what is too old.</summary>
    public Task PruneAsync(CancellationToken cancellationToken) => examinations.PruneAsync(time.GetUtcNow() - Examination.Lifetime, cancellationToken);

    private async Task<Diagnosis> ExamineAsync(Examination examination, CancellationToken cancellationToken)
    {
        if (examination.UrlSecret is not { } secret)
            return await doctor.ExamineAsync(url: null, cancellationToken);

        try
        {
            return await doctor.ExamineAsync(secrets.Unprotect(secret), cancellationToken);
        }
        catch (CryptographicException)
        {
            var diagnosis = await doctor.ExamineAsync(url: null, cancellationToken);
            return diagnosis with
            {
                Findings =
                [
                    .. diagnosis.Findings,
                    Finding.Fail(SourceCheck.Name, "The node cannot decrypt the address that another node encrypted.", "Give all nodes the same keys."),
                ],
            };
        }
    }

    private async Task<ExaminationStanding> StandingOfAsync(
        Examination examination, IReadOnlyList<Diagnosis> diagnoses, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var living = (await nodes.ListAsync(cancellationToken)).Where(n => n.IsAlive(now)).Select(n => n.Name).ToHashSet(StringComparer.Ordinal);
        return ExaminationStanding.Of(examination, diagnoses, living, now);
    }
}
