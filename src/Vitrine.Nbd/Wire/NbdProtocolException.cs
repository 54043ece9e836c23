namespace Vitrine.Nbd.Wire;

/// <summary>The client broke the protocol so that nothing it sends can be understood any more: the connection is lost.</summary>
internal sealed class NbdProtocolException(string message) : Exception(message);
