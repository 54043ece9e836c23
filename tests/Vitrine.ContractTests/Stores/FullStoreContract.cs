using Vitrine.Content;
using Vitrine.Stores;

namespace Vitrine.ContractTests.Stores;

/// <summary>What every store with a bound must do when it comes to it.</summary>
public abstract class FullStoreContract
{
    private static readonly StagingKey Key = new("big");

    /// <summary>An empty store with room for two million bytes and not for three.</summary>
    internal abstract IContentStore OpenStore();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private protected async Task A_full_store_keeps_what_was_written_before_it_was_full()
    {
        var store = OpenStore();
        var half = new byte[1_000_000];
        Array.Fill(half, (byte)7);
        await using (var writer = await store.OpenWriterAsync(Key, Stop))
        {
            await writer.WriteAsync(half, Stop);
            await writer.FlushAsync(Stop);
            var full = await Assert.ThrowsAsync<StoreFullException>(() => writer.WriteAsync(new byte[2_000_000], Stop).AsTask());
            Assert.Equal(2_000_000, full.Needed);
            Assert.InRange(full.Free!.Value, 0, 1_200_000);
            Assert.Equal(half.Length, writer.Length);

            await writer.CommitAsync(Digest.Of(half), Stop);
        }

        Assert.Equal([new StoredContent(Digest.Of(half), half.Length)], await store.ListAsync(Stop).ToListAsync(Stop));
    }

    private protected async Task Room_that_is_made_can_be_used()
    {
        var store = OpenStore();
        await using var writer = await store.OpenWriterAsync(Key, Stop);
        await writer.WriteAsync(new byte[1_500_000], Stop);
        await Assert.ThrowsAsync<StoreFullException>(() => writer.WriteAsync(new byte[1_500_000], Stop).AsTask());

        await writer.ResetAsync(Stop);
        var content = new byte[1_800_000];
        await writer.WriteAsync(content, Stop);
        await writer.CommitAsync(Digest.Of(content), Stop);
        Assert.InRange((await store.MeasureAsync(Stop)).Free!.Value, 0, 400_000);
    }

    private protected async Task A_store_without_room_says_so_when_it_is_probed()
    {
        var store = OpenStore();
        await using var writer = await store.OpenWriterAsync(Key, Stop);
        await FillAsync(writer);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ProbeAsync(Stop));
    }

    private static async Task FillAsync(ContentWriter writer)
    {
        for (var length = 1 << 20; length > 0; length /= 2)
        {
            try
            {
                while (true)
                    await writer.WriteAsync(new byte[length], Stop);
            }
            catch (StoreFullException)
            {
                // A shorter piece may still fit.
            }
        }
    }
}
