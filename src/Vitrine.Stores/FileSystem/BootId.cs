namespace Vitrine.Stores.FileSystem;

/// <summary>Names one run of one machine, from power-on to power-off. What a file's cache held is gone with it.</summary>
internal readonly record struct BootId(Guid Value)
{
    private const string Source = "/proc/sys/kernel/random/boot_id";

    /// <summary>Of the machine that this runs on. Where the kernel does not say, an id that equals no other: nothing is trusted.</summary>
    public static BootId Present()
    {
        try
        {
            return Guid.TryParse(File.ReadAllText(Source).Trim(), out var id) ? new BootId(id) : new BootId(Guid.NewGuid());
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new BootId(Guid.NewGuid());
        }
    }
}
