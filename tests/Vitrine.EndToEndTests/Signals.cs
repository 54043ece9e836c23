using System.Runtime.InteropServices;

namespace Vitrine.EndToEndTests;

/// <summary>kill(2).</summary>
internal static partial class Signals
{
    private const int SigKill = 9;
    private const int SigTerm = 15;

    public static void Kill(int process) => Check(kill(process, SigKill));

    public static void Terminate(int process) => Check(kill(process, SigTerm));

    private static void Check(int result)
    {
        if (result != 0)
            throw new InvalidOperationException(Marshal.GetLastPInvokeErrorMessage());
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int process, int signal);
}
