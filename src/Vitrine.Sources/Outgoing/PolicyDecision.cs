namespace Vitrine.Sources.Outgoing;

/// <summary>Whether an address may be fetched from.</summary>
/// <param name="Reason">A sentence for the operator: which rule decided it. It may name inner addresses, so users do not see it.</param>
public sealed record PolicyDecision(bool Allowed, string Reason)
{
    internal static PolicyDecision Allow(string reason) => new(true, reason);

    internal static PolicyDecision Refuse(string reason) => new(false, reason);
}
