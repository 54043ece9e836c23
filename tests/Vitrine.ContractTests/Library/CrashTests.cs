using Vitrine.Images;
using Vitrine.Testing;
using Vitrine.Transfers;
using static Vitrine.ContractTests.Library.LibraryHome;

namespace Vitrine.ContractTests.Library;

/// <summary>A process is killed at each step outside of its memory; the next one goes on with what is in the database and the directory.</summary>
public sealed class CrashTests : IDisposable
{
    private const int Size = 24 * Block + 99;

    private readonly LibraryHome _home = new();

    public CrashTests() => _home.Source.BeforeRead = (_, _) =>
    {
        _home.Clock.Advance(TimeSpan.FromMilliseconds(120));
        return ValueTask.CompletedTask;
    };

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task An_import_that_is_killed_at_any_step_ends_active_and_fetches_little_twice()
    {
        var steps = 0;
        for (var survived = false; !survived; steps++)
        {
            var (url, content) = _home.Publish(Size, seed: steps);
            var given = _home.Source.Given;
            var (image, transfer) = await RegisterAsync(url);
            survived = await LiveAsync(steps, node => node.RunAsync(transfer));

            await using var next = await _home.StartAsync();
            await next.AdoptAsync();
            await next.AssertActiveAsync(image, content);
            Assert.InRange(_home.Source.Given - given, Size, Size + Unwritten);

            await next.Library.DeleteAsync(image, Caller, Stop);
            await next.AssertSweptAsync();
        }

        Assert.InRange(steps, 20, 200);
    }

    [Fact]
    public async Task An_import_in_a_wrapper_that_is_killed_at_any_step_ends_active_and_leaves_nothing_of_the_wrapper()
    {
        var steps = 0;
        for (var survived = false; !survived; steps++)
        {
            var (_, content) = _home.Publish(4 * Block + 99, seed: steps);
            var packed = WrappedImportTests.Gzip(content);
            var given = _home.Source.Given;
            var (image, transfer) = await RegisterAsync(_home.Publish(packed));
            survived = await LiveAsync(steps, node => node.RunAsync(transfer));

            await using var next = await _home.StartAsync();
            await next.AdoptAsync();
            await next.AssertActiveAsync(image, content);
            Assert.InRange(_home.Source.Given - given, packed.Length, packed.Length + Unwritten);

            // A file that had served already when the process died is swept like all that is staged.
            await next.AssertSweptAsync(content);
            await next.Library.DeleteAsync(image, Caller, Stop);
            await next.AssertSweptAsync();
        }

        Assert.InRange(steps, 30, 300);
    }

    [FactWithTool("qemu-img")]
    public async Task An_import_that_is_converted_and_killed_at_any_step_ends_active_and_leaves_nothing_of_what_came()
    {
        _home.Conversion = ConvertedImportTests.Policy(DiskFormat.Vmdk, DiskFormat.Raw);
        var steps = 0;
        for (var survived = false; !survived; steps++)
        {
            var (disk, vmdk) = await ConvertedImportTests.DiskAsync("vmdk", 3 * Block, seed: steps);
            var (image, transfer) = await RegisterAsync(_home.Publish(WrappedImportTests.Gzip(vmdk)));
            survived = await LiveAsync(steps, node => node.RunAsync(transfer));

            await using var next = await _home.StartAsync();
            await next.AdoptAsync();
            await next.AssertActiveAsync(image, disk);
            await next.AssertSweptAsync(disk);
            await next.Library.DeleteAsync(image, Caller, Stop);
            await next.AssertSweptAsync();
        }

        Assert.InRange(steps, 40, 300);
    }

    [Fact]
    public async Task An_upload_that_is_killed_at_any_step_can_be_gone_on_with()
    {
        var steps = 0;
        for (var survived = false; !survived; steps++)
        {
            var (_, content) = _home.Publish(3 * Block + 7, seed: steps);
            var (image, transfer) = await BeginAsync(content.Length);
            survived = await LiveAsync(steps, async node =>
            {
                await node.AppendAsync(transfer, 0, content.AsMemory(0, Block));
                await node.AppendAsync(transfer, Block, content.AsMemory(Block));
            });

            await using var next = await _home.StartAsync();
            await next.AdoptAsync();
            var found = await next.Uploads.FindOffsetAsync(transfer, Caller, Stop);
            if (!found.IsOver)
                await next.AppendAsync(transfer, found.Moved, content.AsMemory((int)found.Moved));

            await next.AssertActiveAsync(image, content);
            await next.Library.DeleteAsync(image, Caller, Stop);
            await next.AssertSweptAsync();
        }

        Assert.InRange(steps, 15, 200);
    }

    [Fact]
    public async Task An_upload_in_parts_that_is_killed_at_any_step_loses_nothing_that_was_acknowledged()
    {
        var steps = 0;
        for (var survived = false; !survived; steps++)
        {
            var (_, content) = _home.Publish(3 * Block + 7, seed: steps);
            var (image, transfer) = await BeginAsync(content.Length);
            var acknowledged = new long[2];
            survived = await LiveAsync(steps, async node =>
            {
                await SendPartsAsync(node, transfer, content, acknowledged);
                await node.RunAsync(transfer);
            });

            await using var next = await _home.StartAsync();
            await next.AdoptAsync();
            if (!(await next.TransferAsync(transfer)).IsOver)
            {
                foreach (var part in await next.Parts.ListAsync(transfer, Caller, Stop))
                    Assert.True((await next.Parts.FindOffsetAsync(transfer, part.Number, Caller, Stop)).Moved >= acknowledged[part.Number - 1]);
                await SendPartsAsync(next, transfer, content, acknowledged);
                await next.AdoptAsync();
            }

            await next.AssertActiveAsync(image, content);
            await next.AssertSweptAsync(content);
            await next.Library.DeleteAsync(image, Caller, Stop);
            await next.AssertSweptAsync();
        }

        Assert.InRange(steps, 30, 300);
    }

    [Fact]
    public async Task An_upload_in_one_request_that_is_killed_at_any_step_leaves_a_failed_image_or_an_active_one()
    {
        var steps = 0;
        for (var survived = false; !survived; steps++)
        {
            var (_, content) = _home.Publish(3 * Block + 7, seed: steps);
            ImageId image;
            await using (var before = await _home.StartAsync())
                image = await before.NewImageAsync();
            survived = await LiveAsync(steps, node => node.ReceiveAsync(image, content));

            await using var next = await _home.StartAsync();
            await next.AdoptAsync();
            var status = (await next.ImageAsync(image)).Status;
            Assert.Contains(status, new[] { ImageStatus.Queued, ImageStatus.Failed, ImageStatus.Active });
            if (status is not ImageStatus.Active)
                await next.ReceiveAsync(image, content);

            await next.AssertActiveAsync(image, content);
            await next.Library.DeleteAsync(image, Caller, Stop);
            await next.AssertSweptAsync();
        }

        Assert.InRange(steps, 10, 200);
    }

    [Fact]
    public async Task A_deletion_that_is_killed_at_any_step_leaves_nothing_after_a_sweep_and_forbids_nothing()
    {
        var steps = 0;
        for (var survived = false; !survived; steps++)
        {
            var (_, content) = _home.Publish(Block, seed: steps);
            ImageId image;
            await using (var before = await _home.StartAsync())
                await before.ReceiveAsync(image = await before.NewImageAsync(), content);
            survived = await LiveAsync(steps, node => node.Library.DeleteAsync(image, Caller, Stop));

            await using var next = await _home.StartAsync();
            if ((await next.ImageAsync(image)).Status is not ImageStatus.Deleted)
                await next.Library.DeleteAsync(image, Caller, Stop);
            _home.Clock.Advance(TimeSpan.FromMinutes(2));

            // The same content comes again while nobody knows how far the removal came.
            var again = await next.NewImageAsync();
            await next.ReceiveAsync(again, content);
            await next.AssertActiveAsync(again, content);
            await next.AssertSweptAsync(content);
            await next.Library.DeleteAsync(again, Caller, Stop);
            await next.AssertSweptAsync();
        }

        Assert.InRange(steps, 3, 50);
    }

    private async Task<(ImageId Image, TransferId Transfer)> RegisterAsync(string url)
    {
        await using var node = await _home.StartAsync();
        return await node.ImportAsync(url);
    }

    private async Task<(ImageId Image, TransferId Transfer)> BeginAsync(long length)
    {
        await using var node = await _home.StartAsync();
        var image = await node.NewImageAsync();
        return (image, (await node.BeginAsync(image, length)).Id);
    }

    /// <summary>Two parts, each from where it stands to its end, and then the word that they are the whole.</summary>
    private static async Task SendPartsAsync(LibraryNode node, TransferId transfer, byte[] content, long[] acknowledged)
    {
        var lengths = new[] { Block + 3, content.Length - Block - 3 };
        for (var i = 0; i < lengths.Length; i++)
        {
            if ((await node.Parts.ListAsync(transfer, Caller, Stop)).Count <= i)
                await node.Parts.AddAsync(transfer, lengths[i], Caller, Stop);
            var offset = (await node.Parts.FindOffsetAsync(transfer, i + 1, Caller, Stop)).Moved;
            var body = new Vitrine.Testing.Library.ScriptedStream(content.AsMemory((int)(i * lengths[0] + offset), (int)(lengths[i] - offset)));
            acknowledged[i] = (await node.Parts.AppendAsync(transfer, i + 1, offset, body, Caller, Stop)).Moved;
        }

        await node.Parts.JoinAsync(transfer, [1, 2], Caller, Stop);
    }

    /// <returns>True where the work was done before the life was over.</returns>
    private async Task<bool> LiveAsync(int steps, Func<LibraryNode, Task> work)
    {
        var life = new Life(steps);
        await using var node = await _home.StartAsync(life: life);
        try
        {
            await work(node);
        }
        catch (Exception) when (life.IsOver)
        {
            // Whatever a dead process would have thrown, nobody hears it.
        }

        return !life.IsOver;
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
