using System.Security.Cryptography;
using Vitrine.Formats;
using Vitrine.Images;

namespace Vitrine.FormatTests;

public sealed class RawDiskTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(1_000_003)]
    public async Task A_raw_disk_is_its_content(int length)
    {
        var stop = TestContext.Current.CancellationToken;
        var path = Path.GetTempFileName();
        try
        {
            var bytes = RandomNumberGenerator.GetBytes(length);
            await File.WriteAllBytesAsync(path, bytes, stop);
            await using var disk = await new DiskFormats().OpenAsync(new FileContent(path), DiskFormat.Raw, stop);
            await DiskContract.HoldAsync(disk, bytes, stop);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
