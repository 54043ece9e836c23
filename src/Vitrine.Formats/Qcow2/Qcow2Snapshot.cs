namespace Vitrine.Formats.Qcow2;

/// <summary>The disk as it was once, kept inside the image.</summary>
/// <param name="Id">Unique in the image.</param>
/// <param name="Name">What a person called it.</param>
/// <param name="VmClock">For how long the guest had run.</param>
/// <param name="VmStateLength">Of the machine's state, in bytes; 0 where only the disk was kept.</param>
/// <param name="DiskLength">In bytes; the disk may have been of another length than it is now.</param>
internal sealed record Qcow2Snapshot(
    string Id, string Name, DateTimeOffset Date, TimeSpan VmClock, long VmStateLength, long DiskLength, Qcow2L1 L1);
