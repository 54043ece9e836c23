using Vitrine.Sources.Outgoing;
using Vitrine.Transfers;

namespace Vitrine.Sources.FileServers;

/// <summary>Who we are to a file server: by what stands in the address, or by a key that the operator set up for its user.</summary>
/// <param name="User">Null for FTP's anonymous.</param>
internal sealed record FileServerLogin(string? User, string? Password, string? KeyFile)
{
    /// <exception cref="SourceException">It is missing, or has letters in it that no server could be sent.</exception>
    public static FileServerLogin Read(Uri address, OutgoingTarget target, IEnumerable<SftpKey> keys)
    {
        // A colon that is percent-encoded belongs to the name or the password, so the two are parted first.
        var parts = address.UserInfo.Split(':', 2).Select(Uri.UnescapeDataString).ToArray();
        if (parts.Any(part => part.Any(char.IsControl)))
            throw new SourceException(SourceFault.MalformedUrl, "The login in the address has a control character in it.", mayPass: false);

        var (user, password) = (parts[0].Length > 0 ? parts[0] : null, parts.Length > 1 ? parts[1] : null);
        if (!target.IsSftp)
            return new FileServerLogin(user, password, KeyFile: null);
        if (user is null)
            throw new SourceException(SourceFault.MalformedUrl, "An sftp address needs a user: sftp://user@host/path/file.", mayPass: false);
        if (password is not null)
            return new FileServerLogin(user, password, KeyFile: null);

        var key = keys.FirstOrDefault(key => key.IsFor(target.Host, user))?.PrivateKey;
        return key is not null
            ? new FileServerLogin(user, Password: null, key)
            : throw new SourceException(
                SourceFault.Login, $"The address has no password, and no key is set up for its user at {target.Host}.", mayPass: false);
    }

    // The default would print the password.
    public override string ToString() => "(a login)";
}
