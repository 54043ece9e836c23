using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli;

/// <summary>Quotas for people.</summary>
internal static class QuotaViews
{
    private static readonly string[] InMebibytes = ["size", "staged"];

    public static Argument<string?> ProjectArgument() => new("PROJECT")
    {
        Description = "The id of the project, or its name; without it, all projects that have no quotas of their own.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public static void Write(TextWriter output, QuotaList quotas) => TextTable.Write(
        output,
        ["RESOURCE", "USED", "LIMIT", "SET FOR"],
        quotas.Items.Select(q => (IReadOnlyList<string>)
            [q.Resource, Amount(q, q.Used) ?? "-", Amount(q, q.Limit) ?? "unlimited", !q.IsOwn ? "-" : quotas.Project is null ? "all projects" : "this project"]));

    private static string? Amount(QuotaRecord quota, long? amount) =>
        amount is { } known ? InMebibytes.Contains(quota.Resource) ? Amounts.Bytes(known << 20) : $"{known}" : null;
}
