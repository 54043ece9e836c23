using static Vitrine.FormatTests.Nbd.NbdClient;

namespace Vitrine.FormatTests.Nbd;

/// <summary>Whatever a client says, the server answers or hangs up, and serves the others.</summary>
public sealed class NbdFuzzTests
{
    private const long Size = 1 << 20;

    [Fact]
    public async Task A_broken_handshake_harms_nobody()
    {
        byte[] sound =
        [
            0, 0, 0, 3,
            .. Option(StructuredReply, []), .. Option(List, []), .. Option(SetMetaContext, Contexts("disk", "base:allocation")),
            .. Option(Info, Export("disk", 1, 2, 3)), .. Option(Go, Export("disk")),
            .. Request(Read, 0, 4096), .. Request(BlockStatus, 0, 65536), .. Request(Disconnect),
        ];
        await FuzzAsync(seed: 1, rounds: 400, open: ConnectAsync, sound);
    }

    [Fact]
    public async Task Broken_requests_harm_nobody()
    {
        byte[] sound =
        [
            .. Request(Read, 0, 4096), .. Request(Read, 65536, 300_000), .. Request(BlockStatus, 0, 65536), .. Request(Flush),
            .. Request(Write, 0, 16), .. new byte[16], .. Request(Trim, 0, 4096), .. Request(Read, 1, 512, flags: 4), .. Request(Disconnect),
        ];
        await FuzzAsync(seed: 2, rounds: 400, open: endpoint => OpenAsync(endpoint, status: true), sound);
    }

    /// <summary>Says what is sound but for a few bytes, cut or with noise behind, and ends; the server has to end too.</summary>
    private static async Task FuzzAsync(int seed, int rounds, Func<System.Net.EndPoint, Task<NbdClient>> open, byte[] sound)
    {
        var random = new Random(seed);
        await using var host = new NbdHost(() => new PatternDisk(Size));
        await using var other = await OpenAsync(host.Unix);
        for (var round = 0; round < rounds; round++)
        {
            var bytes = Mutate(random, sound);
            await using var client = await open(host.Unix);
            try
            {
                await client.SendAsync(bytes);
                client.EndSending();
            }
            catch (IOException)
            {
                // The server has hung up already.
            }

            await client.CloseAsync();
            if (round % 20 == 0)
                Assert.Equal(PatternDisk.Bytes(8, 8), await other.ReadAsync(8, 8));
        }
    }

    private static byte[] Mutate(Random random, byte[] sound)
    {
        var bytes = sound.ToArray();
        for (var i = random.Next(5); i > 0; i--)
            bytes[random.Next(bytes.Length)] = random.Next(3) switch { 0 => 0, 1 => 0xff, _ => (byte)random.Next(256) };
        if (random.Next(3) == 0)
            bytes = bytes[..random.Next(bytes.Length)];
        if (random.Next(3) == 0)
        {
            var noise = new byte[random.Next(200)];
            random.NextBytes(noise);
            bytes = [.. bytes, .. noise];
        }

        return bytes;
    }
}
