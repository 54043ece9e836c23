using Vitrine.Client;

namespace Vitrine.Cli.Disks;

/// <summary>Bytes of a disk that are done, for a bar.</summary>
internal sealed class BarProgress(IProgress<TransferProgress> bar, long length) : IProgress<long>
{
    public void Report(long value) => bar.Report(new TransferProgress(value, length));
}
