using System.Collections.Immutable;
using System.Diagnostics;
using Vitrine.Access;
using Vitrine.Images;

namespace Vitrine.Bench.CatalogueList;

/// <summary>Images of one big project, one small and many others; a quarter public, a tenth shared with one project.</summary>
internal sealed class Library(int count, ICatalogue catalogue, IImageCatalogue images)
{
    private const int Writers = 4;

    /// <returns>How long a registration took, without others and while three others were registering.</returns>
    public async Task<IReadOnlyList<Measurement>> FillAsync()
    {
        var times = new List<double>();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, count),
            new ParallelOptions { MaxDegreeOfParallelism = Writers },
            async (number, _) =>
            {
                var time = await RegisterAsync(number);
                lock (times)
                    times.Add(time);
            });

        var alone = new List<double>();
        for (var number = count; number < count + 100; number++)
            alone.Add(await RegisterAsync(number));
        return [Measurement.Of("register, 4 at once", times, count), Measurement.Of("register, alone", alone, alone.Count)];
    }

    public static Image MakeImage(int number) => new()
    {
        Id = new ImageId(new Guid(number, 7, 7, [1, 2, 3, 4, 5, 6, 7, 8])),
        Owner = number % 2 == 0 ? Lists.Big : number is > 100 and < 141 ? Lists.Small : new ProjectId($"project-{number % 997}"),
        Name = $"image {number:D8}",
        Description = "An image among many, with a description of a usual length.",
        Status = ImageStatus.Active,
        Visibility = (number / 2 % 20) switch
        {
            < 5 => Visibility.Public,
            < 7 => Visibility.Shared,
            7 => Visibility.Community,
            _ => Visibility.Private,
        },
        Tags = number % 1000 == 77 ? ["linux", "rare"] : number % 2 == 0 ? ["linux"] : [],
        Properties = ImmutableSortedDictionary<string, string>.Empty.Add("os_type", "linux").Add("number", $"{number}"),
        Size = number * 7919L % 1_000_003,
        CreatedAt = Lists.Start.AddSeconds(number),
        UpdatedAt = Lists.Start.AddSeconds(number),
    };

    private async Task<double> RegisterAsync(int number)
    {
        var image = MakeImage(number);
        var began = Stopwatch.GetTimestamp();
        await catalogue.SaveAsync(new() { Image = image }, CancellationToken.None);
        var time = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        if (image.Visibility is Visibility.Shared)
            await images.AddMemberAsync(
                new(image.Id, Lists.Member, MemberStatus.Accepted, image.CreatedAt, image.UpdatedAt), CancellationToken.None);

        return time;
    }
}
