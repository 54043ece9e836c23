namespace Vitrine.Stores.Rbd;

/// <summary>A call to Ceph's libraries failed. It does not leave the store: <see cref="RbdErrors"/> says it in the domain's words.</summary>
/// <param name="errno">One of <see cref="CephError"/>, or any other of errno(3).</param>
/// <param name="step">What the cluster was asked to do, to follow "to".</param>
internal sealed class CephException(int errno, string step) : Exception($"Error {errno} when Ceph was asked to {step}.")
{
    public int Errno { get; } = errno;
    public string Step { get; } = step;

    /// <returns>The result, where it is none of a failure.</returns>
    public static long Check(long result, string step) => result >= 0 ? result : throw new CephException((int)-result, step);
}

/// <summary>The numbers of errno(3) that mean something to the store.</summary>
internal static class CephError
{
    public const int NotPermitted = 1; // EPERM
    public const int NoEntry = 2; // ENOENT
    public const int InputOutput = 5; // EIO
    public const int Again = 11; // EAGAIN
    public const int Access = 13; // EACCES
    public const int Busy = 16; // EBUSY
    public const int Exists = 17; // EEXIST
    public const int Invalid = 22; // EINVAL
    public const int NoSpace = 28; // ENOSPC
    public const int ReadOnly = 30; // EROFS: another client has the image's lock
    public const int Range = 34; // ERANGE: the buffer is too short
    public const int NotEmpty = 39; // ENOTEMPTY
    public const int ShutDown = 108; // ESHUTDOWN: this client is on the blocklist
    public const int TimedOut = 110; // ETIMEDOUT
    public const int Quota = 122; // EDQUOT
}

/// <summary>Steps that mean something of their own when they fail.</summary>
internal static class CephStep
{
    public const string ReadConfiguration = "read its configuration file";
    public const string Configure = "take its settings";
    public const string Connect = "connect";
    public const string FindPool = "find the pool";
}
