using System.Collections.Immutable;
using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Catalogue;

/// <summary>Records with values of all kinds, the same ones for the same seed.</summary>
internal sealed class Samples(int seed)
{
    public static readonly DateTimeOffset Noon = new(2025, 5, 17, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Text that has been the end of many a statement.</summary>
    public static readonly ImmutableArray<string> HostileTexts =
    [
        "", " ", "'", "''; drop table images; --", "\"", "\\", "%", "_", "100%_\\%", "@p0_", "{ordered-text}", "null", "[\"a\"]", "{\"a\":1}",
        "a\nb\r\nc\td", "\u0001\u001f\u007f", "é", "e\u0301", "ß", "İı", "日本語のイメージ", "🦆👩‍👩‍👧", "\u202e drow", "\ufeff", "\uffff", new string('x', 65_535),
        string.Concat(Enumerable.Repeat("🦆'", 20_000)),
    ];

    private readonly Random _random = new(seed);

    public static Image NewImage() => new() { Id = ImageId.New(), Owner = ProjectId.New(), CreatedAt = Noon, UpdatedAt = Noon };

    public static Transfer NewTransfer(ImageId image) => new()
    {
        Id = TransferId.New(),
        Image = image,
        Project = ProjectId.New(),
        Kind = TransferKind.Import,
        Store = "main",
        CreatedAt = Noon,
    };

    public static Digest NewDigest() => Digest.Of(Guid.NewGuid().ToByteArray());

    public T OneOf<T>(params IReadOnlyList<T> values) => values[_random.Next(values.Count)];

    public T Any<T>() where T : struct, Enum => OneOf(Enum.GetValues<T>());

    public bool Chance(double probability) => _random.NextDouble() < probability;

    public int Number(int below) => _random.Next(below);

    public DateTimeOffset Time() => Noon.AddTicks(_random.NextInt64(-1_000_000_000_000, 1_000_000_000_000) * TimeSpan.TicksPerMicrosecond);

    public IEnumerable<T> Some<T>(IReadOnlyList<T> values, int most) =>
        Enumerable.Range(0, _random.Next(most + 1)).Select(_ => OneOf(values)).Distinct();

    /// <summary>An image with any value in any field, whether the product would allow them together or not.</summary>
    public Image AnyImage()
    {
        // Only an image that is called an archive has content that is one.
        var image = AnyFields();
        var container = image.ContainerFormat is ContainerFormat.Ova ? ContainerFormat.Ova : ContainerFormat.Bare;
        return image with { Content = image.Content is { } content ? content with { Container = container } : null };
    }

    private Image AnyFields() => new()
    {
        Id = ImageId.New(),
        Owner = ProjectId.New(),
        Domain = OneOf("default", "0123456789abcdef0123456789abcdef"),
        Name = Maybe(ShortText),
        Description = Text(),
        Status = OneOf(Enum.GetValues<ImageStatus>().Except([ImageStatus.Deleted]).ToList()),
        Enabled = Chance(0.5),
        Kind = Any<ImageKind>(),
        DiskFormat = MaybeAny<DiskFormat>(),
        ContainerFormat = MaybeAny<ContainerFormat>(),
        Hardware = new HardwareProfile
        {
            Architecture = MaybeAny<CpuArchitecture>(),
            Platform = MaybeAny<Platform>(),
            Os = Maybe(() => "debian12"),
            VirtIo = Chance(0.5),
            Firmware = MaybeAny<Firmware>(),
            Csm = Chance(0.5),
            BareMetal = Chance(0.5),
            MinDisk = OneOf(0, 1, int.MaxValue),
            MinMemory = OneOf(0, 512, int.MaxValue),
        },
        Visibility = Any<Visibility>(),
        Protected = Chance(0.5),
        Hidden = Chance(0.5),
        AllZones = Chance(0.5),
        Tags = [.. Some(HostileTexts, 5).Select(Shorten)],
        Properties = Some(HostileTexts, 5).DistinctBy(Shorten).ToImmutableSortedDictionary(Shorten, _ => Text()),
        SourceUrl = Maybe(Text),
        SourceKey = Maybe(Text),
        Size = Maybe(() => OneOf(0, 1, long.MaxValue)),
        Content = Chance(0.5) ? AnyContent() : null,
        Transfer = Chance(0.5) ? TransferId.New() : null,
        CreatedAt = Time(),
        UpdatedAt = Time(),
        DeletedAt = Chance(0.5) ? Time() : null,
    };

    /// <summary>A transfer with any value in any field.</summary>
    public Transfer AnyTransfer(ImageId image) => new()
    {
        Id = TransferId.New(),
        Image = image,
        Project = ProjectId.New(),
        Kind = Any<TransferKind>(),
        Store = Text(),
        SourceUrl = Maybe(Text),
        SourceSecret = Maybe(Text),
        SourceStore = Maybe(Text),
        MovesFrom = Maybe(Text),
        FurtherStores = [.. Some(HostileTexts, 3)],
        Operation = Chance(0.5) ? StoreOperationId.New() : null,
        Expected = Chance(0.5) ? Checksum.Parse(new string('a', Any<ChecksumAlgorithm>().HexLength())) : null,
        State = Any<TransferState>(),
        Step = OneOf(TransferSteps.None, TransferSteps.Receiving),
        Length = Maybe(() => OneOf(0, long.MaxValue)),
        Moved = _random.NextInt64(),
        Fetched = _random.NextInt64(),
        Furthest = _random.NextInt64(),
        Unpacked = _random.NextInt64(),
        Converted = _random.NextInt64(),
        Assembled = _random.NextInt64(),
        Rate = OneOf(0, 1e-300, double.MaxValue, _random.NextDouble() * 1e9),
        Attempt = _random.Next(),
        Fruitless = _random.Next(),
        NextAttemptAt = Chance(0.5) ? Time() : null,
        Validator = Maybe(Text),
        Content = Chance(0.5) ? AnyContent() : null,
        Node = Maybe(Text),
        NodeName = Maybe(Text),
        Fence = _random.NextInt64(),
        Failure = Chance(0.5) ? new TransferFailure("source-dns", "connecting", Text(), Text(), Maybe(Text), Time()) : null,
        Notes = [.. Some(HostileTexts, 3)],
        CreatedAt = Time(),
        StartedAt = Chance(0.5) ? Time() : null,
        LastProgress = Chance(0.5) ? Time() : null,
        EndedAt = Chance(0.5) ? Time() : null,
    };

    private ContentFacts AnyContent() => new(
        NewDigest(), _random.NextInt64(), new string('5', 32), new string('f', 128), Any<DiskFormat>(), Maybe(() => _random.NextInt64()),
        Chance(0.5) ? new SourceFile(NewDigest(), _random.NextInt64(), MaybeAny<Wrapper>(), MaybeAny<DiskFormat>()) : null)
    {
        Container = OneOf(ContainerFormat.Bare, ContainerFormat.Ova),
    };

    private string Text() => OneOf(HostileTexts);

    private string ShortText() => Shorten(Text());

    // Names, tags and the names of properties have at most 255 characters.
    private static string Shorten(string text) => string.Concat(text.EnumerateRunes().Take(255));

    private string? Maybe(Func<string> make) => Chance(0.7) ? make() : null;

    private long? Maybe(Func<long> make) => Chance(0.7) ? make() : null;

    private T? MaybeAny<T>() where T : struct, Enum => Chance(0.7) ? Any<T>() : null;
}
