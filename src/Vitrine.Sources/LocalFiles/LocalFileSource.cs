using Vitrine.Transfers;

namespace Vitrine.Sources.LocalFiles;

/// <summary>Files of this machine, below the directories that the operator opened for it.</summary>
internal sealed class LocalFileSource(SourceOptions options, TimeProvider time, SourceMeter meter) : ISource
{
    private const string Prefix = "file:///";
    private readonly string[] _directories = [.. options.Directories.Select(d => d.TrimEnd('/')).OrderByDescending(d => d.Length)];

    public IReadOnlyCollection<string> Schemes { get; } = [Uri.UriSchemeFile];

    public void Check(Uri address) => Find(address);

    public Task<SourceReading> OpenAsync(Uri address, long from, string? validator, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        return meter.CountAsync(() => Task.FromResult(Open(address, from, validator)));
    }

    public Task<SourceProbe> ProbeAsync(Uri address, CancellationToken cancellationToken)
    {
        using var file = Open(address);
        var (length, mark) = file.Look();
        return Task.FromResult(new SourceProbe(
            SourceAddress.Redact(address), Status: 0, length, ContentType: null, CanResume: true, mark, Certificate: null));
    }

    private SourceReading Open(Uri address, long from, string? validator)
    {
        var file = Open(address);
        var (length, mark) = file.Look();
        var start = validator == mark && from <= length ? from : 0;
        var body = new SourceBody(
            file.Read(start), "The file", length - start, options.IdleTimeout, time, meter, () => file.Look().Mark == mark ? null : Changed());
        return new SourceReading(body, start, length, mark, canResume: true, body);
    }

    private RootedFile Open(Uri address)
    {
        var (directory, path) = Find(address);
        return RootedFile.Open(directory, path);
    }

    /// <returns>The directory that opens the file, and the file's path from there.</returns>
    private (string Directory, string Path) Find(Uri address)
    {
        // Read from the text, as the framework would resolve what is not to be there.
        var text = address.OriginalString;
        if (!text.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) || text.Length > SourceAddress.MaxLength || text.AsSpan().ContainsAny('?', '#', '\\'))
            throw Malformed("The address of a file is file:///path/file with three slashes, and with no ?, # or \\ in it.");

        var path = Uri.UnescapeDataString(text[(Prefix.Length - 1)..]);
        if (path.Any(char.IsControl) || path[1..].Split('/').Any(part => part is "" or "." or ".."))
            throw Malformed("The path has an empty part, a dot for a part, or a control character in it.");

        return Array.Find(_directories, d => path.StartsWith(d + '/', StringComparison.Ordinal)) is { } directory
            ? (directory, path[(directory.Length + 1)..])
            : throw new SourceException(
                SourceFault.Refused, $"The policy refuses this source: it is in no directory of {SourceOptions.Section}:Directories.", mayPass: false);
    }

    private static SourceException Malformed(string message) => new(SourceFault.MalformedUrl, message, mayPass: false);

    private static SourceException Changed() => new(SourceFault.Broken, "The file was changed while it was read.", mayPass: true);
}
