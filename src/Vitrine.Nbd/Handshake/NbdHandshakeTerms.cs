using System.Net.Security;

namespace Vitrine.Nbd.Handshake;

/// <summary>What every handshake of a server has in common.</summary>
/// <param name="Authentication">Used unless TLS is off.</param>
internal sealed record NbdHandshakeTerms(INbdExports Exports, NbdTls Tls, SslServerAuthenticationOptions Authentication);
