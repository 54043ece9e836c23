using Vitrine.Disks;
using Vitrine.Nbd;

namespace Vitrine.Server.Exports;

/// <summary>Disks of images, each under the name of a ticket for it. Nothing is listed: the names are secrets.</summary>
internal sealed class TicketExports(DiskTickets tickets) : INbdExports
{
    public async ValueTask<NbdExport?> FindAsync(string name, CancellationToken cancellationToken) =>
        await tickets.OpenAsync(name, cancellationToken) is { } opened
            ? new DiskExport(name, opened.Disk, opened.Image.Name ?? opened.Image.Id.ToString())
            : null;

    public ValueTask<IReadOnlyList<NbdListing>> ListAsync(CancellationToken cancellationToken) => ValueTask.FromResult<IReadOnlyList<NbdListing>>([]);
}
