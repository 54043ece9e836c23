using System.Diagnostics.CodeAnalysis;

namespace Vitrine.Sources.Outgoing;

/// <summary>A host, or all hosts below a domain, as an operator names them.</summary>
/// <remarks><c>*.corp</c> is <c>a.corp</c> and <c>a.b.corp</c>, but not <c>corp</c> itself.</remarks>
internal sealed record HostPattern
{
    private const string Wildcard = "*.";
    private readonly string _name;
    private readonly bool _below;

    private HostPattern(string name, bool below) => (_name, _below) = (name, below);

    public static bool TryParse(string? text, [NotNullWhen(true)] out HostPattern? pattern)
    {
        pattern = null;
        if (text is null)
            return false;

        if (OutgoingTarget.TryReadLiteral(text.Trim('[', ']'), out var address))
        {
            pattern = new HostPattern(address.ToString(), below: false);
            return true;
        }

        var below = text.StartsWith(Wildcard, StringComparison.Ordinal);
        var name = (below ? text[Wildcard.Length..] : text).ToLowerInvariant();
        if (!HostName.IsValid(name))
            return false;

        pattern = new HostPattern(name, below);
        return true;
    }

    /// <param name="host">As <see cref="OutgoingTarget.Host"/> spells it.</param>
    public bool Matches(string host) => _below
        ? host.Length > _name.Length + 1 && host.EndsWith(_name, StringComparison.Ordinal) && host[^(_name.Length + 1)] == '.'
        : host == _name;

    public override string ToString() => _below ? Wildcard + _name : _name;
}
