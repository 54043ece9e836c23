using Vitrine.Transfers;

namespace Vitrine.Nodes;

/// <summary>An address may be fetched from, and can be: each step of the way is a finding, up to the one that failed.</summary>
public sealed class SourceCheck(SourceRegistry sources, ThisNode node)
{
    public const string Name = "source";

    // RFC 8200 section 5: every link of IPv6 carries this, and hardly any of IPv4 less.
    private const int LeastMtu = 1280;

    // What an empty file answers to the question for its first byte.
    private const int RangeNotSatisfiable = 416;

    internal async Task<IReadOnlyList<Finding>> RunAsync(string url, CancellationToken cancellationToken)
    {
        var address = sources.Read(url);
        var source = sources.For(address);
        try
        {
            source.Check(address);
        }
        catch (SourceException refused)
        {
            return [Fault(refused)];
        }

        try
        {
            var probe = await source.ProbeAsync(address, cancellationToken);
            return [Allowed(address), .. DescribeWay(address, probe), .. DescribeAnswer(address, probe)];
        }
        catch (SourceException failure)
        {
            // Of a name it is known only after it was looked up whether the policy allows where it leads.
            return failure.Fault is SourceFault.Refused ? [Fault(failure)] : [Allowed(address), Fault(failure)];
        }
    }

    private static Finding Allowed(Uri address) => Finding.Ok("source.policy", $"The policy allows {SourceAddress.Redact(address)}.");

    private Finding Fault(SourceException failure) => Finding.Fail(
        failure.Fault switch
        {
            SourceFault.MalformedUrl => "source.address",
            SourceFault.Refused => "source.policy",
            SourceFault.Dns => "source.dns",
            SourceFault.Connect or SourceFault.ConnectTimeout => "source.connect",
            SourceFault.Tls => "source.tls",
            SourceFault.HostKey => "source.host-key",
            SourceFault.Login => "source.login",
            _ => "source.answer",
        },
        failure.Fault is SourceFault.MalformedUrl or SourceFault.Refused ? failure.Message : $"{failure.Message} Node {node.Name} tried.", failure.Remedy);

    private static IEnumerable<Finding> DescribeWay(Uri address, SourceProbe probe)
    {
        if (probe.Route is not { } route)
            yield break;

        yield return Finding.Ok(
            "source.connect", route.Address is { } reached ? $"The source was reached at {reached}." : "The source was reached by the proxy, which looks names up.");
        if (route.Mtu is { } mtu)
            yield return Judge(mtu, route.InterfaceMtu);
        yield return probe.Certificate is { } certificate ? Finding.Ok("source.tls", $"The certificate holds: {certificate}.")
            : address.Scheme == Uri.UriSchemeSftp ? Finding.Ok("source.host-key", "The server shows the host key that is known of it.")
            : Finding.Ok("source.tls", "The source is not asked over TLS.");
    }

    private static Finding Judge(int mtu, int? ofInterface)
    {
        const string Check = "source.mtu";
        const string Remedy = "Look for a tunnel on the way, and let the firewalls pass ICMP's \"packet too big\" and \"fragmentation needed\".";
        var carried = $"The way carries packets of {mtu} bytes";
        if (mtu < LeastMtu)
            return Finding.Warn(Check, $"{carried}, less than {LeastMtu}.", Remedy);
        return ofInterface is { } own && own != mtu
            ? Finding.Warn(Check, $"{carried}, and the node's interface such of {own}.", Remedy)
            : Finding.Ok(Check, $"{carried}.");
    }

    private IEnumerable<Finding> DescribeAnswer(Uri address, SourceProbe probe)
    {
        // What file servers cannot give is an exception, and the last reply of FTP may be to an order that it need not know.
        var isFileServer = address.IsFile || address.Scheme == Uri.UriSchemeFtp || address.Scheme == Uri.UriSchemeSftp;
        if (!isFileServer && probe.Status is not (>= 200 and < 300 or RangeNotSatisfiable))
        {
            var isLogin = probe.Status is 401 or 403;
            yield return Finding.Fail(
                isLogin ? "source.login" : "source.answer", $"{probe.FinalAddress} answers {probe.Status}. Node {node.Name} tried.",
                isLogin ? "Check the login or the signature that goes with the address; some servers answer so where there is no such file." : "Open the address yourself: it may have moved.");
            yield break;
        }

        if (address.UserInfo.Length > 0 || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps && !address.IsFile))
            yield return Finding.Ok("source.login", "The source takes the login.");
        yield return Finding.Ok("source.answer", isFileServer ? $"{probe.FinalAddress} is there." : $"{probe.FinalAddress} answers {probe.Status}.");
        yield return probe.Length is { } length
            ? Finding.Ok("source.length", $"The file has {length} bytes.")
            : Finding.Warn("source.length", "The source does not say how long the file is.", "Give a checksum, so that a file that was cut short is noticed.");
        yield return probe.CanResume
            ? Finding.Ok("source.ranges", "A transfer that is interrupted goes on where it was.")
            : Finding.Warn("source.ranges", "The source gives the whole file only.", "A transfer that is interrupted begins again; prefer a mirror that supports ranges.");
    }
}
