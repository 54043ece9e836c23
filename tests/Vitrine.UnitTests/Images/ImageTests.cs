using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Transfers;

namespace Vitrine.UnitTests.Images;

public sealed class ImageTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Later = Noon.AddHours(1);

    private static readonly ContentFacts Facts = new(
        Digest.Of([1, 2, 3]), 3, new string('5', 32), new string('f', 128), DiskFormat.Qcow2, VirtualSize: 4096);

    [Theory]
    [InlineData(ImageStatus.Queued, TransferKind.Import, ImageStatus.Importing)]
    [InlineData(ImageStatus.Queued, TransferKind.Upload, ImageStatus.Saving)]
    [InlineData(ImageStatus.Queued, TransferKind.Stream, ImageStatus.Saving)]
    [InlineData(ImageStatus.Failed, TransferKind.Import, ImageStatus.Importing)]
    [InlineData(ImageStatus.Failed, TransferKind.Upload, ImageStatus.Saving)]
    [InlineData(ImageStatus.Saving, TransferKind.Stream, null)]
    [InlineData(ImageStatus.Importing, TransferKind.Import, null)]
    [InlineData(ImageStatus.Staged, TransferKind.Stream, null)]
    [InlineData(ImageStatus.Active, TransferKind.Upload, null)]
    [InlineData(ImageStatus.Deleted, TransferKind.Import, null)]
    public void Content_is_received_by_images_that_wait_for_it(ImageStatus before, TransferKind kind, ImageStatus? after)
    {
        var transfer = Transfer(kind);
        if (after is not { } expected)
        {
            Assert.Throws<ImageStatusException>(() => Image(before).Receive(transfer, Later));
            return;
        }

        var image = Image(before).Receive(transfer, Later);
        Assert.Equal((expected, transfer.Id, Later), (image.Status, image.Transfer!.Value, image.UpdatedAt));
    }

    [Fact]
    public void An_upload_into_an_image_whose_import_failed_frees_its_address()
    {
        var failed = Image(ImageStatus.Failed) with { SourceKey = "key", SourceUrl = "http://a/b" };
        var uploading = failed.Receive(Transfer(TransferKind.Upload), Later);
        Assert.Equal((null, null), (uploading.SourceKey, uploading.SourceUrl));

        var importing = failed.Receive(Transfer(TransferKind.Import) with { SourceUrl = "http://a/b" }, Later);
        Assert.Equal(("key", "http://a/b"), (importing.SourceKey, importing.SourceUrl));
    }

    [Fact]
    public void What_is_staged_for_an_image_waits_to_be_imported()
    {
        var staged = Image(ImageStatus.Queued).Stage(Transfer(TransferKind.Stream), Noon);
        Assert.Equal(ImageStatus.Staged, staged.Status);
        Assert.Throws<ImageStatusException>(() => staged.Activate(Facts, Later));
        Assert.Throws<ImageStatusException>(() => staged.Stage(Transfer(TransferKind.Stream), Later));
        Assert.Throws<ImageStatusException>(() => Image(ImageStatus.Queued).Import(Later));
        Assert.Equal((ImageStatus.Importing, Later), (staged.Import(Later).Status, staged.Import(Later).UpdatedAt));
        Assert.Equal(ImageStatus.Failed, staged.Fail(Later).Status);
    }

    [Theory]
    [InlineData(ImageStatus.Saving, true)]
    [InlineData(ImageStatus.Importing, true)]
    [InlineData(ImageStatus.Queued, false)]
    [InlineData(ImageStatus.Active, false)]
    [InlineData(ImageStatus.Failed, false)]
    [InlineData(ImageStatus.Deleted, false)]
    public void Only_an_image_that_receives_content_becomes_active(ImageStatus before, bool allowed)
    {
        var refusal = Record.Exception(() => Image(before).Activate(Facts, Later));
        Assert.Equal(allowed ? null : typeof(ImageStatusException), refusal?.GetType());
    }

    [Fact]
    public void An_active_image_says_what_its_content_is()
    {
        var image = Image(ImageStatus.Saving).Activate(Facts, Later);
        Assert.Equal((ImageStatus.Active, Facts, 3L, Later), (image.Status, image.Content, image.Size, image.UpdatedAt));
        Assert.Equal((DiskFormat.Qcow2, ContainerFormat.Bare, ImageKind.System), (image.DiskFormat, image.ContainerFormat, image.Kind));
    }

    [Fact]
    public void What_the_creator_claimed_stays()
    {
        var claimed = Image(ImageStatus.Saving) with { DiskFormat = DiskFormat.Aki, ContainerFormat = ContainerFormat.Aki };
        var image = claimed.Activate(Facts with { Format = DiskFormat.Raw }, Later);
        Assert.Equal((DiskFormat.Aki, ContainerFormat.Aki), (image.DiskFormat, image.ContainerFormat));
    }

    [Fact]
    public void A_disc_that_was_not_announced_as_one_is_recognised() =>
        Assert.Equal(ImageKind.Iso, Image(ImageStatus.Saving).Activate(Facts with { Format = DiskFormat.Iso }, Later).Kind);

    [Theory]
    [InlineData(ImageStatus.Saving, ImageStatus.Failed)]
    [InlineData(ImageStatus.Importing, ImageStatus.Failed)]
    [InlineData(ImageStatus.Queued, ImageStatus.Queued)]
    [InlineData(ImageStatus.Active, ImageStatus.Active)]
    [InlineData(ImageStatus.Failed, ImageStatus.Failed)]
    [InlineData(ImageStatus.Deleted, ImageStatus.Deleted)]
    public void A_failure_is_one_of_the_receiving_alone(ImageStatus before, ImageStatus after)
    {
        var image = Image(before);
        var failed = image.Fail(Later);
        Assert.Equal(after, failed.Status);
        if (before == after)
            Assert.Same(image, failed);
    }

    [Fact]
    public void A_failed_image_keeps_its_address_for_a_retry_and_knows_no_size()
    {
        var failed = (Image(ImageStatus.Importing) with { SourceKey = "key", Size = 7 }).Fail(Later);
        Assert.Equal(("key", null), (failed.SourceKey, failed.Size));
    }

    [Fact]
    public void A_deleted_image_frees_its_address_and_says_when()
    {
        var deleted = (Image(ImageStatus.Active) with { SourceKey = "key" }).Delete(Later);
        Assert.Equal((ImageStatus.Deleted, null, Later), (deleted.Status, deleted.SourceKey, deleted.DeletedAt));
    }

    [Fact]
    public void A_protected_image_is_not_deleted() =>
        Assert.Throws<ImageProtectedException>(() => (Image(ImageStatus.Active) with { Protected = true }).Delete(Later));

    [Fact]
    public void To_disable_twice_changes_nothing()
    {
        var disabled = Image(ImageStatus.Active).Enable(false, Later);
        Assert.Equal((false, Later), (disabled.Enabled, disabled.UpdatedAt));
        Assert.Same(disabled, disabled.Enable(false, Noon));
        Assert.True(disabled.Enable(true, Later).Enabled);
    }

    [Theory]
    [InlineData(ImageStatus.Queued)]
    [InlineData(ImageStatus.Saving)]
    [InlineData(ImageStatus.Importing)]
    [InlineData(ImageStatus.Failed)]
    public void An_image_without_content_is_neither_enabled_nor_disabled(ImageStatus status) =>
        Assert.Throws<ImageStatusException>(() => Image(status).Enable(false, Later));

    private static Image Image(ImageStatus status) => new()
    {
        Id = ImageId.New(),
        Owner = ProjectId.New(),
        Status = status,
        CreatedAt = Noon,
        UpdatedAt = Noon,
    };

    private static Transfer Transfer(TransferKind kind) => new()
    {
        Id = TransferId.New(),
        Image = ImageId.New(),
        Project = ProjectId.New(),
        Kind = kind,
        Store = "main",
        CreatedAt = Noon,
    };
}
