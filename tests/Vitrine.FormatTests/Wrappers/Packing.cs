using Vitrine.Content;
using Vitrine.Formats.Wrappers;
using Vitrine.Stores;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Wrappers;

/// <summary>Packs by the field's tools and unpacks by us.</summary>
internal sealed class Packing : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("vitrine-wrappers-");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Delete(recursive: true);

    /// <summary>What a disk is like: text, noise, and much of nothing.</summary>
    public static byte[] Disk(int length, int seed = 1)
    {
        var random = new Random(seed);
        var disk = new byte[length];
        for (var at = 0; at < length; at += 4096)
        {
            var block = disk.AsSpan(at, Math.Min(4096, length - at));
            if (random.Next(3) is 0)
                random.NextBytes(block);
            else if (random.Next(2) is 0)
                block.Fill((byte)random.Next());
        }

        return disk;
    }

    /// <param name="script">For the shell, in a directory where the content is the file <c>disk</c>; what it prints is the packed file.</param>
    public async Task<byte[]> PackAsync(byte[] content, string script)
    {
        await File.WriteAllBytesAsync(Path.Combine(_directory.FullName, "disk"), content, Stop);
        await Tool.RunAsync("sh", ["-c", $"cd {_directory.FullName} && rm -f packed *.zip && ({script}) > packed"], Stop);
        return await File.ReadAllBytesAsync(Path.Combine(_directory.FullName, "packed"), Stop);
    }

    public static async Task<byte[]> UnpackAsync(byte[] packed, Wrapper wrapper, int mostRead = int.MaxValue)
    {
        await using var content = await new ContentWrappers().OpenAsync(new Bytes(packed, mostRead), wrapper, Stop);
        using var unpacked = new MemoryStream();
        var buffer = new byte[100_000];
        while (await content.Body.ReadAsync(buffer, Stop) is > 0 and var read)
            unpacked.Write(buffer, 0, read);

        Assert.True(content.Length is null || content.Length == unpacked.Length);
        return unpacked.ToArray();
    }

    /// <returns>The word for why it is refused; null where it is not.</returns>
    public static async Task<string?> RefusalAsync(byte[] packed, Wrapper wrapper)
    {
        try
        {
            await UnpackAsync(packed, wrapper);
            return null;
        }
        catch (UnsafeContentException refusal)
        {
            return refusal.Feature;
        }
    }

    private sealed class Bytes(byte[] bytes, int mostRead) : ContentReader
    {
        public override long Length => bytes.Length;

        public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            var count = (int)Math.Min(Math.Min(buffer.Length, mostRead), Length - offset);
            bytes.AsSpan((int)offset, count).CopyTo(buffer.Span);
            return ValueTask.FromResult(count);
        }

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
