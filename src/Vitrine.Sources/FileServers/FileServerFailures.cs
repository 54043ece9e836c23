using Vitrine.Sources.Outgoing;
using Vitrine.Transfers;

namespace Vitrine.Sources.FileServers;

/// <summary>What libcurl ends with, as failures that a user understands. Nothing that the server wrote is repeated but its number.</summary>
internal static class FileServerFailures
{
    /// <param name="reply">The number of the server's last reply; nothing for SFTP.</param>
    public static SourceException Of(CurlCode code, long reply, OutgoingTarget target) => code switch
    {
        CurlCode.LoginDenied => new(
            SourceFault.Login, $"{target.Host} does not let this user in{Told(reply)}.", MayPass(reply)),
        CurlCode.RemoteFileNotFound => new(SourceFault.Status, $"{target.Host} has no such file.", MayPass(reply)),
        CurlCode.RemoteAccessDenied or CurlCode.FtpCouldntRetrFile => new(
            SourceFault.Status, $"{target.Host} does not give this file{Told(reply)}.", MayPass(reply)),
        CurlCode.PeerFailedVerification => new(SourceFault.HostKey, $"{target.Host} could not prove who it is.", mayPass: false),
        CurlCode.CouldntConnect => new(SourceFault.Connect, $"{target.Host} could not be connected to for the file.", mayPass: true),
        CurlCode.OperationTimedOut => new(SourceFault.Stalled, $"{target.Host} did not answer in time.", mayPass: true),
        CurlCode.UnsupportedProtocol => new(SourceFault.Refused, $"The libcurl of this node does not speak {target.Scheme}.", mayPass: false),
        CurlCode.WeirdServerReply or CurlCode.FtpWeirdPassReply or CurlCode.FtpWeirdPasvReply or CurlCode.FtpWeird227Format
            or CurlCode.FtpCantGetHost or CurlCode.FtpCouldntSetType => new(
            SourceFault.Broken, $"{target.Host} gave an answer{Told(reply)} that is no FTP as it should be.", MayPass(reply)),
        _ => new(SourceFault.Broken, $"The connection to {target.Host} broke.", mayPass: true),
    };

    private static string Told(long reply) => reply > 0 ? $"; it answered {reply}" : "";

    // RFC 959 section 4.2.1: 4yz is "not now", 5yz is "not this".
    private static bool MayPass(long reply) => reply is >= 400 and < 500;
}
