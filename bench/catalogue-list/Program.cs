using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Vitrine;
using Vitrine.Bench.CatalogueList;
using Vitrine.Catalogue;
using Vitrine.Images;

// usage: catalogue-list IMAGES CONNECTION-STRING
// Fills an empty catalogue with so many images, then prints a table of milliseconds.
if (args is not [var count, var connectionString])
{
    Console.Error.WriteLine("usage: catalogue-list IMAGES CONNECTION-STRING");
    return 2;
}

await using var services = new ServiceCollection()
    .AddSingleton(TimeProvider.System)
    .AddCatalogue(new CatalogueOptions { ConnectionString = connectionString })
    .BuildServiceProvider();
foreach (var service in services.GetServices<IHostedService>().OfType<IHostedLifecycleService>())
    await service.StartingAsync(CancellationToken.None);

var images = services.GetRequiredService<IImageCatalogue>();
var library = new Library(int.Parse(count), services.GetRequiredService<ICatalogue>(), images);
Print("what", "p50", "p99", "found");
foreach (var measured in await library.FillAsync())
    Print(measured);
foreach (var (name, query) in Lists.All)
    Print(await Measurement.TakeAsync(name, async () => (await images.ListAsync(query, CancellationToken.None)).Count));
return 0;

static void Print(params object[] row) => Console.WriteLine(
    "{0,-56}{1,10:0.00}{2,10:0.00}{3,8}", row is [Measurement m] ? [m.Name, m.Median, m.Worst, m.Found] : row);
