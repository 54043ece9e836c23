namespace Vitrine.Stores.Chunked;

/// <summary>Where a block is.</summary>
/// <param name="Pack">The pack's number in this process: see <see cref="PackRegistry"/>.</param>
/// <param name="Offset">Of its first byte in what the pack's segments mean, one after the other.</param>
internal readonly record struct BlockPlace(int Pack, uint Offset);

/// <summary>A block as a pack lists it.</summary>
/// <param name="Length">In bytes: 4,096, or fewer before the place where a new row of blocks begins.</param>
internal readonly record struct PackedBlock(BlockName Name, ushort Length);
