using System.Globalization;
using Vitrine.Content;
using Vitrine.Disks;
using Vitrine.Formats.Qcow2;

namespace Vitrine.FormatTests.Qcow2;

/// <summary>Mutated images, the same ones in each run. VITRINE_FUZZ is how many for each kind, where more are wanted.</summary>
public sealed class Qcow2FuzzTests
{
    private const int UsualRounds = 1_000;
    private const int MaxRead = 128 * 1024;

    private readonly byte[] _buffer = new byte[MaxRead];

    public static TheoryData<int, int, bool, bool> Kinds => Qcow2DiskTests.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_mutated_image_is_read_or_refused_and_nothing_else(int version, int clusterBits, bool isZstd, bool hasSubclusters)
    {
        var image = new SmallQcow2(version, clusterBits, isZstd, hasSubclusters);
        var marks = Marks(image);
        var bytes = image.Bytes.ToArray();
        var random = new Random(version * 100 + clusterBits);
        for (var round = 0; round < Rounds; round++)
        {
            var changed = Mutate(bytes, marks, random);
            var length = random.Next(8) == 0 ? random.Next(bytes.Length) : bytes.Length;
            try
            {
                await TryAsync(bytes.AsMemory(0, length), random);
            }
            catch (Exception failure) when (failure is not UnsafeContentException)
            {
                Assert.Fail($"round {round}: {failure}");
            }

            foreach (var at in changed)
                bytes[at] = image.Bytes[at];
        }
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static int Rounds => int.TryParse(Environment.GetEnvironmentVariable("VITRINE_FUZZ"), CultureInfo.InvariantCulture, out var rounds) ? rounds : UsualRounds;

    private async Task TryAsync(ReadOnlyMemory<byte> bytes, Random random)
    {
        Qcow2Disk disk;
        try
        {
            disk = await Qcow2Disk.OpenAsync(new MemoryContent(bytes), Stop);
        }
        catch (UnsafeContentException)
        {
            return;
        }

        await using (disk)
        {
            var isGood = await PassesAsync(() => disk.CheckAsync(Stop));
            await ReadAsync(disk, isGood, random);
            await PassesAsync(async () =>
            {
                await foreach (var snapshot in disk.ListSnapshotsAsync(Stop))
                    await ReadAsync(disk.OpenSnapshot(snapshot), isGood: false, random);
            });
        }
    }

    // What passes the check can be read, but for compressed clusters, into which a check does not look.
    private async Task ReadAsync(Disk disk, bool isGood, Random random)
    {
        var covered = 0L;
        var isListed = await PassesAsync(async () =>
        {
            await foreach (var extent in disk.ListExtentsAsync(0, disk.Length, Stop))
            {
                Assert.Equal(covered, extent.Start);
                covered = extent.End;
            }
        });
        Assert.True(isListed ? covered == disk.Length : !isGood);

        foreach (var offset in new[] { 0, Math.Max(0, disk.Length - MaxRead), random.NextInt64(disk.Length + 1) })
        {
            try
            {
                await disk.ReadAsync(offset, _buffer.AsMemory(0, (int)Math.Min(MaxRead, disk.Length - offset)), Stop);
            }
            catch (UnsafeContentException refusal)
            {
                Assert.True(!isGood || refusal.Feature == "qcow2-damaged", refusal.Message);
            }
        }
    }

    private static async Task<bool> PassesAsync(Func<Task> work)
    {
        try
        {
            await work();
            return true;
        }
        catch (UnsafeContentException)
        {
            return false;
        }
    }

    // Where the image says something; what the data are tells nothing.
    private static int[] Marks(SmallQcow2 image)
    {
        int[] tables = [0, SmallQcow2.RefcountTable, SmallQcow2.L1, SmallQcow2.SnapshotTable, SmallQcow2.SnapshotL1, SmallQcow2.L2, SmallQcow2.Compressed];
        return
        [
            .. tables.SelectMany(t => Enumerable.Range(t << image.ClusterBits, 128)),
            .. Enumerable.Range(SmallQcow2.RefcountBlock << image.ClusterBits, 32),
        ];
    }

    private static List<int> Mutate(byte[] bytes, int[] marks, Random random)
    {
        var changed = new List<int>();
        for (var count = random.Next(1, 5); count > 0; count--)
        {
            var at = marks[random.Next(marks.Length)];
            changed.Add(at);
            bytes[at] = random.Next(5) switch
            {
                0 => (byte)(bytes[at] ^ 1 << random.Next(8)),
                1 => 0,
                2 => 0xff,
                3 => bytes[marks[random.Next(marks.Length)]],
                _ => (byte)random.Next(256),
            };
        }

        return changed;
    }
}
