using System.ComponentModel;
using System.Diagnostics;
using Vitrine.Transfers;

namespace Vitrine.Sources.Signatures;

/// <summary>OpenPGP signatures of checksums, checked by Debian's gpgv, which does nothing else and trusts the operator's keyring alone.</summary>
internal sealed class GpgSignatures(SourceOptions options) : IChecksumSignatures
{
    private const string Status = "[GNUPG:] ";
    private const string Good = Status + "GOODSIG ";
    private const string Valid = Status + "VALIDSIG ";
    private const string Bad = Status + "BADSIG ";

    public bool AreDemanded => options.ChecksumKeyring is not null;

    public async Task<string?> FindSignerAsync(ReadOnlyMemory<byte> text, ReadOnlyMemory<byte> signature, CancellationToken cancellationToken)
    {
        var directory = Directory.CreateTempSubdirectory("vitrine-checksum-");
        try
        {
            var (textFile, signatureFile) = (Path.Combine(directory.FullName, "text"), Path.Combine(directory.FullName, "signature"));
            await File.WriteAllBytesAsync(textFile, text, cancellationToken);
            await File.WriteAllBytesAsync(signatureFile, signature, cancellationToken);
            return SignerIn(await RunAsync(
                ["--homedir", directory.FullName, "--status-fd", "1", "--weak-digest", "SHA1", "--keyring", options.ChecksumKeyring!, signatureFile, textFile],
                cancellationToken));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>
    /// A list may bear signatures of several keys, some of which nobody here knows, so the program's own verdict is not asked. One
    /// that is good by a key that was neither revoked nor has expired is enough, unless another is forged.
    /// </summary>
    internal static string? SignerIn(string status)
    {
        var lines = status.Split('\n');
        return lines.Any(line => line.StartsWith(Valid, StringComparison.Ordinal)) && !lines.Any(line => line.StartsWith(Bad, StringComparison.Ordinal))
            ? lines.FirstOrDefault(line => line.StartsWith(Good, StringComparison.Ordinal))?[Good.Length..].Split(' ')[0]
            : null;
    }

    /// <returns>What it reports for programs to read.</returns>
    private static async Task<string> RunAsync(IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        using var process = Start(arguments);
        try
        {
            var complaint = process.StandardError.ReadToEndAsync(cancellationToken);
            var status = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await complaint;
            await process.WaitForExitAsync(cancellationToken);
            return status;
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    private static Process Start(IEnumerable<string> arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo("gpgv", arguments)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        }
        catch (Win32Exception missing)
        {
            throw new ChecksumSignatureException("Signatures cannot be checked on this node: the package gpgv is missing.", missing);
        }
    }
}
