using System.CommandLine;

namespace Vitrine.Cli;

/// <summary>What commands say alike that begin something which the library does by itself.</summary>
internal static class WaitOptions
{
    public static Option<bool> NoWait() => new("--no-wait") { Description = "Return as soon as the library has taken the order." };
}
