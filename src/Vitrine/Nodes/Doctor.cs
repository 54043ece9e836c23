using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Vitrine.Nodes;

/// <summary>Looks whether this node can do its work, and says what to do where it cannot.</summary>
/// <remarks>The checks run beside each other, and one that hangs costs no more than its patience.</remarks>
public sealed partial class Doctor(IEnumerable<INodeCheck> checks, SourceCheck sources, ThisNode node, TimeProvider time, ILogger<Doctor> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Longer than sources are waited for (10 s for the connection, 30 s for the answer), so that they say what they waited for.</summary>
    private static readonly TimeSpan SourcePatience = TimeSpan.FromSeconds(45);

    /// <param name="url">An address that somebody means to import from; null where none is in question.</param>
    public async Task<Diagnosis> ExamineAsync(string? url, CancellationToken cancellationToken)
    {
        var runs = checks.Select(check => RunAsync(check.Name, check.RunAsync, Patience, cancellationToken));
        if (url is not null)
            runs = runs.Append(RunAsync(SourceCheck.Name, token => sources.RunAsync(url, token), SourcePatience, cancellationToken));

        var findings = await Task.WhenAll(runs);
        return new Diagnosis(node.Name, [.. findings.SelectMany(f => f)]);
    }

    private async Task<IReadOnlyList<Finding>> RunAsync(
        string check, Func<CancellationToken, Task<IReadOnlyList<Finding>>> run, TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(atMost, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            return await run(either.Token).WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return [Finding.Fail(check, $"There was no answer within {atMost.TotalSeconds:0} seconds.", "Look at the node's log, and at what the check needs.")];
        }
        catch (LibraryException failure)
        {
            return [Finding.Fail(check, failure.Message, failure.Remedy)];
        }
        catch (Exception failure) when (failure is not (OperationCanceledException or UnreachableException))
        {
            LogUnexpected(failure, check);
            return [Finding.Fail(check, "The check ended with an unexpected error.", "Look at the node's log.")];
        }
    }

    [LoggerMessage(LogLevel.Error, "The check {Check} ended with an unexpected error")]
    private partial void LogUnexpected(Exception failure, string check);
}

/// <summary>One thing that a node needs to do its work, looked at when somebody asks.</summary>
/// <remarks>It changes nothing that lasts. What it throws is a finding too: the check failed.</remarks>
public interface INodeCheck
{
    /// <summary>As <c>stores</c>: lower-case letters and dashes.</summary>
    string Name { get; }

    Task<IReadOnlyList<Finding>> RunAsync(CancellationToken cancellationToken);
}

/// <summary>What a node found when it looked at itself.</summary>
public sealed record Diagnosis(string Node, IReadOnlyList<Finding> Findings)
{
    /// <summary>The worst of the findings.</summary>
    public Verdict Verdict => Findings.Select(f => f.Verdict).DefaultIfEmpty().Max();
}

/// <param name="Check">The name of the check, with what it looked at where there are several: <c>store.main</c>.</param>
/// <param name="Detail">A sentence without secrets.</param>
/// <param name="Remedy">What can be done; null where all is well.</param>
public sealed record Finding(string Check, Verdict Verdict, string Detail, string? Remedy)
{
    public static Finding Ok(string check, string detail) => new(check, Verdict.Ok, detail, Remedy: null);

    public static Finding Warn(string check, string detail, string remedy) => new(check, Verdict.Warn, detail, remedy);

    public static Finding Fail(string check, string detail, string remedy) => new(check, Verdict.Fail, detail, remedy);
}

/// <summary>From good to bad.</summary>
public enum Verdict
{
    Ok,
    Warn,
    Fail,
}

/// <summary>The section Doctor.</summary>
public sealed class DoctorOptions
{
    /// <summary>A store with less free space than this, in bytes, is worth a warning. Default: 100 GB, with which a library should begin.</summary>
    public long FreeSpaceFloor { get; set; } = 100_000_000_000;

    /// <summary>A store with less than this part of its space free is worth a warning, in percent. Default: 10.</summary>
    public int FreePercentFloor { get; set; } = 10;

    /// <summary>Clocks that are further apart are worth a warning. Default: 2 seconds.</summary>
    public TimeSpan ClockTolerance { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// The networks to which this machine may export directories of the library by NFS, as <c>10.1.0.0/24</c>: those of services and managers.
    /// Default: none said, so that any will do which are not the whole world.
    /// </summary>
    public IList<string> ShareNetworks { get; } = [];
}
