using Microsoft.Win32.SafeHandles;

namespace Vitrine.Stores.FileSystem;

/// <summary>Has a file that grows written to its disk while more comes, and its pages given back to the machine once they are there.</summary>
/// <remarks>
/// A sync finds little left to do then. And an image that comes in neither displaces what others are reading from the page cache, nor
/// goes through all the memory that is free, which a virtual machine has to get from its host page by page.
/// </remarks>
/// <param name="start">What the file has already, in bytes.</param>
internal sealed class Writeback(SafeFileHandle file, long start)
{
    private const long Step = 8 * 1024 * 1024;

    // Most of what is so far behind has reached the disk.
    private const long Lag = 4 * Step;

    private long _begun = start;
    private long _forgotten = start;

    /// <summary>Says that the file has got so long.</summary>
    public void GoOn(long length)
    {
        if (length - _begun < Step)
            return;

        NativeFile.StartWriteback(file, _begun, length - _begun);
        _begun = length;
        if (length - Lag <= _forgotten)
            return;

        NativeFile.Forget(file, _forgotten, length - Lag - _forgotten);
        _forgotten = length - Lag;
    }

    /// <summary>Says that so much of the file is on the disk.</summary>
    public void Synced(long length) => NativeFile.Forget(file, 0, length);

    /// <summary>Says that the file has been cut off.</summary>
    public void CutTo(long length) => (_begun, _forgotten) = (Math.Min(_begun, length), Math.Min(_forgotten, length));
}
