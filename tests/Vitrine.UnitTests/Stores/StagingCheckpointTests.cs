using Vitrine.Stores;
using Vitrine.Stores.FileSystem;

namespace Vitrine.UnitTests.Stores;

public sealed class StagingCheckpointTests : IDisposable
{
    private static readonly BootId Boot = new(new Guid("00112233-4455-6677-8899-aabbccddeeff"));

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("vitrine-checkpoint-");

    private string FilePath => Path.Combine(_directory.FullName, "key.checkpoint");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void What_was_saved_last_is_read()
    {
        for (var length = 1; length <= 5; length++)
        {
            using (var written = Open())
                written.Save(length, Boot);

            using var read = Open();
            Assert.Equal((length, Boot), (read.DurableLength, read.Boot));
        }
    }

    [Fact]
    public void A_new_checkpoint_vouches_for_nothing()
    {
        using var checkpoint = Open();
        Assert.Equal(0, checkpoint.DurableLength);
        Assert.Null(checkpoint.Boot);
    }

    /// <summary>The bytes of the first version; a later one must go on reading them.</summary>
    [Fact]
    public void The_record_is_as_it_is_drawn()
    {
        using (var written = Open())
            written.Save(0x0102, Boot);

        Assert.Equal(
            "564348" + "4B" + "01000000" + "0100000000000000" + "0201000000000000" + "33221100554477668899AABBCCDDEEFF",
            Convert.ToHexString(File.ReadAllBytes(FilePath).AsSpan(512, 40)));
    }

    [Fact]
    public void Any_changed_byte_makes_a_record_invalid()
    {
        using (var written = Open())
            written.Save(77, Boot);

        var bytes = File.ReadAllBytes(FilePath);
        for (var i = 512; i < 512 + 48; i++)
        {
            var changed = bytes.ToArray();
            changed[i] ^= 0x10;
            File.WriteAllBytes(FilePath, changed);
            using var read = Open();
            Assert.Equal(0, read.DurableLength);
        }
    }

    private StagingCheckpoint Open() => StagingCheckpoint.Open(FilePath, new StagingKey("key"));
}
