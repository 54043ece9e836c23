using System.Runtime.InteropServices;

namespace Vitrine.EndToEndTests;

/// <summary>kill(2).</summary>
internal static partial class Signals
{
    private const int SigKill = 9;
    private const int SigTerm = 15;
    private const int SigCont = 18;
    private const int SigStop = 19;

    public static void Kill(int process) => Check(kill(process, SigKill));

    public static void Terminate(int process) => Check(kill(process, SigTerm));

    /// <summary>The process stands still, as on a machine that is paused, until <see cref="Continue"/>.</summary>
    public static void Stop(int process) => Check(kill(process, SigStop));

    public static void Continue(int process) => Check(kill(process, SigCont));

    private static void Check(int result)
    {
        if (result != 0)
            throw new InvalidOperationException(Marshal.GetLastPInvokeErrorMessage());
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int process, int signal);
}
