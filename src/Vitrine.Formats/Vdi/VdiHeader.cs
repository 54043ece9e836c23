namespace Vitrine.Formats.Vdi;

/// <summary>What the header of a VDI says of the disk.</summary>
/// <param name="DiskLength">In bytes. Some writers leave a part of a sector at the end; it is shown as a whole one.</param>
/// <param name="BlockLength">In bytes.</param>
/// <param name="MapOffset">Of the block map, in bytes.</param>
/// <param name="DataOffset">Of block 0, in bytes.</param>
/// <param name="Blocks">How many the map has, and so how many there can be at most.</param>
internal readonly record struct VdiHeader(long DiskLength, long BlockLength, long MapOffset, long DataOffset, long Blocks);
