using Vitrine.Content;
using Vitrine.Stores;
using Vitrine.Stores.Chunked;

namespace Vitrine.ContractTests.Stores;

/// <summary>A store that the first version wrote stays readable. Its contents are named by their digests, so that nothing else need be known of them.</summary>
public sealed class GoldenStoreTests : IDisposable
{
    private const int Contents = 4;

    private readonly DirectoryInfo _copy = Directory.CreateTempSubdirectory("vitrine-golden-");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _copy.Delete(recursive: true);

    [Theory]
    [InlineData("chunked-1")]
    public async Task It_is_read_checked_added_to_and_collected(string name)
    {
        Copy(Path.Combine(AppContext.BaseDirectory, "Stores", "golden", name));
        await using var store = ChunkedStore.InDirectory("golden", _copy.FullName, new ChunkedStoreOptions { CollectionGrace = TimeSpan.Zero }, TimeProvider.System);
        var contents = await store.ListAsync(Stop).ToListAsync(Stop);
        Assert.Equal(Contents, contents.Count);
        Assert.Empty((await store.ScrubAsync(null, null, Stop)).Faults);

        var again = await ReadAsync(store, contents[0].Digest);
        await store.DeleteAsync(contents[0].Digest, Stop);
        await using (var writer = await store.OpenWriterAsync(new StagingKey("key"), Stop))
        {
            await writer.WriteAsync(again, Stop);
            await writer.CommitAsync(contents[0].Digest, Stop);
        }

        await store.CollectAsync(null, Stop);
        foreach (var content in contents)
            Assert.Equal(content.Digest, Digest.Of(await ReadAsync(store, content.Digest)));
    }

    private static async Task<byte[]> ReadAsync(ChunkedStore store, Digest digest)
    {
        await using var reader = await store.OpenAsync(digest, Stop);
        var bytes = new byte[reader.Length];
        for (var count = 0; count < bytes.Length;)
            count += await reader.ReadAsync(count, bytes.AsMemory(count), Stop);

        return bytes;
    }

    private void Copy(string golden)
    {
        foreach (var file in Directory.EnumerateFiles(golden, "*", SearchOption.AllDirectories))
        {
            var to = Path.Combine(_copy.FullName, Path.GetRelativePath(golden, file));
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(file, to);
        }
    }
}
