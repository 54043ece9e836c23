namespace Vitrine.Transfers;

/// <summary>Finds the source that answers for an address.</summary>
public sealed class SourceRegistry(IEnumerable<ISource> sources)
{
    private readonly Dictionary<string, ISource> _sources =
        sources.SelectMany(s => s.Schemes.Select(scheme => (scheme, s))).ToDictionary(p => p.scheme, p => p.s, StringComparer.Ordinal);

    /// <summary>Reads an address, and refuses one that could never be fetched.</summary>
    /// <exception cref="InvalidFieldException">It is no address, or of a scheme that nothing here reads.</exception>
    /// <exception cref="SourceException">The policy refuses it.</exception>
    public Uri Parse(string address, string field = "url")
    {
        var parsed = Read(address, field);
        For(parsed).Check(parsed);
        return parsed;
    }

    /// <summary>Reads an address, whatever the policy says of it.</summary>
    /// <exception cref="InvalidFieldException">It is no address, or of a scheme that nothing here reads.</exception>
    public Uri Read(string address, string field = "url")
    {
        if (address.Length > SourceAddress.MaxLength)
            throw new InvalidFieldException(field, $"has {address.Length} characters; at most {SourceAddress.MaxLength} are allowed");
        if (!Uri.TryCreate(address, UriKind.Absolute, out var parsed) || (parsed.Host.Length == 0 && !parsed.IsFile))
            throw new InvalidFieldException(field, "is not an address of the form http://host[:port]/path/file");
        return _sources.ContainsKey(parsed.Scheme)
            ? parsed
            : throw new InvalidFieldException(field, $"the scheme '{parsed.Scheme}' is not supported; use one of {string.Join(", ", _sources.Keys.Order(StringComparer.Ordinal))}");
    }

    public ISource For(Uri address) => _sources[address.Scheme];
}
