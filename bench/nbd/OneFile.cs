using Vitrine.Formats;
using Vitrine.Images;
using Vitrine.Nbd;

namespace Vitrine.Bench.Nbd;

/// <summary>The disk in one file, under every name.</summary>
internal sealed class OneFile(string path, DiskFormat format) : INbdExports
{
    public async ValueTask<NbdExport?> FindAsync(string name, CancellationToken cancellationToken) =>
        new DiskExport(name, await new DiskFormats().OpenAsync(new FileContent(path), format, cancellationToken));

    public ValueTask<IReadOnlyList<NbdListing>> ListAsync(CancellationToken cancellationToken) => ValueTask.FromResult<IReadOnlyList<NbdListing>>([]);
}
