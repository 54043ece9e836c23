using System.Globalization;
using Vitrine.Stores.FileSystem;

namespace Vitrine.Stores.Rbd;

/// <summary>Tells the process that writes an image from every other one, so that a machine knows when one of its own is dead.</summary>
/// <remarks>
/// Ceph itself takes a client for dead half a minute after it was last heard of. As text: client, boot id, space of process numbers, number and start of
/// the process, with spaces between them: <c>10.0.0.7:0/4028942780 5f1e… pid:[4026531836] 812 90210</c>.
/// </remarks>
internal sealed record ImageOwner(string Client, string Boot, string Processes, int Process, string Start)
{
    private const int FieldsBeforeStart = 19; // of /proc/PID/stat behind the name; see proc(5)

    /// <summary>This process; null where the kernel does not tell enough.</summary>
    /// <param name="client">What the cluster calls it.</param>
    public static ImageOwner? Here(string client) => NamespaceHere() is { } processes && StartOf(Environment.ProcessId) is { } start
        ? new ImageOwner(client, $"{BootId.Present().Value:N}", processes, Environment.ProcessId, start)
        : null;

    public static ImageOwner? Parse(string? text) =>
        text?.Split(' ') is [var client, var boot, var processes, var process, var start]
        && int.TryParse(process, CultureInfo.InvariantCulture, out var id)
            ? new ImageOwner(client, boot, processes, id, start)
            : null;

    /// <summary>Whether it is a process that ran here and runs no more. Of other machines and containers nothing is known.</summary>
    public bool IsDeadHere =>
        Here(Client) is { } here && Boot == here.Boot && Processes == here.Processes && StartOf(Process) != Start;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Client} {Boot} {Processes} {Process} {Start}");

    private static string? NamespaceHere()
    {
        try
        {
            return new FileInfo("/proc/self/ns/pid").LinkTarget;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string? StartOf(int process)
    {
        try
        {
            // The name, in brackets, may have anything in it.
            var stat = File.ReadAllText($"/proc/{process}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return fields.Length > FieldsBeforeStart && fields[0] is not "Z" ? fields[FieldsBeforeStart] : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
