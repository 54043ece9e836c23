using Vitrine.Formats.Qcow2;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Conversion;

public sealed class CompressedQcow2FileTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("vitrine-qcow2-");

    public void Dispose() => _directory.Delete(recursive: true);

    // Blocks of refcounts are full after 32768 clusters each; where that is, matters.
    [TheoryWithTool("qemu-img")]
    [InlineData(70_000, 1, 0)]
    [InlineData(70_000, 3, 40_001)]
    [InlineData(70_000, 2, 65_535)]
    [InlineData(32_762, 1, 0)]
    [InlineData(32_763, 1, 0)]
    [InlineData(32_764, 1, 0)]
    [InlineData(32_765, 1, 0)]
    [InlineData(32_766, 1, 0)]
    public async Task Every_cluster_is_counted_as_often_as_it_is_used(int clusters, int plainEach, int compressedLength)
    {
        var stop = TestContext.Current.CancellationToken;
        var path = Path.Combine(_directory.FullName, "image.qcow2");
        using (var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite))
        {
            var image = new CompressedQcow2File(file, clusters * 65_536L);
            for (var cluster = 0; cluster < clusters; cluster++)
            {
                if (cluster % plainEach == 0)
                    image.PlacePlain(cluster);
                else
                    image.PlaceCompressed(cluster, compressedLength - cluster % 1000);
            }

            image.Complete();
        }

        Assert.Contains("No errors were found", await Tool.RunAsync("qemu-img", ["check", path], stop), StringComparison.Ordinal);
    }
}
