using System.Globalization;

namespace Vitrine.Sources.FileServers;

/// <summary>What marks one version of a file that has no better mark: its length, and when it was last written.</summary>
/// <remarks>
/// As text it is what <see cref="Vitrine.Transfers.SourceReading.Validator"/> carries from one reading to the next:
/// <c>mtime=1792567708;length=1048576</c>, or the length alone where the server does not tell the time. Two versions of one length
/// within one second look the same; the publisher's checksum tells them apart.
/// </remarks>
/// <param name="Length">Null where the server does not say it.</param>
/// <param name="Modified">In seconds since 1970; null where the server does not say it.</param>
internal sealed record FileMark(long? Length, long? Modified)
{
    /// <summary>Null where nothing is known to compare.</summary>
    public string? Text => (Length, Modified) switch
    {
        ({ } length, { } modified) => string.Create(CultureInfo.InvariantCulture, $"mtime={modified};length={length}"),
        ({ } length, null) => string.Create(CultureInfo.InvariantCulture, $"length={length}"),
        _ => null,
    };
}
