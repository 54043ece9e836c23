using System.Text;
using System.Text.Json;
using Vitrine.Testing;

namespace Vitrine.EndToEndTests;

/// <summary>
/// A guest boots from the library's block device, while its disk lies in the library as it was uploaded. VITRINE_GUEST chooses
/// another guest than the smallest (as <c>tiny</c>: Debian with cloud-init, which takes minutes).
/// </summary>
public sealed class BootTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(6);

    private static string Guest => Environment.GetEnvironmentVariable("VITRINE_GUEST") ?? "mini";

    [FactWithTool("qemu-system-x86_64")]
    public async Task A_guest_boots_from_an_uploaded_qcow2_and_from_the_same_disk_as_vmdk()
    {
        var folder = Directory.CreateTempSubdirectory("vitrine-boot-").FullName;
        try
        {
            await using var server = await ServerProcess.StartAsync();
            var (qcow2, vmdk) = (Path.Combine(folder, "guest.qcow2"), Path.Combine(folder, "guest.vmdk"));
            (await Command.RunAsync(Path.Combine(Checkout.Root, "tests", "guests", "make-debian-image"), [qcow2, "qcow2", Guest])).Succeeded();
            await Tool.RunAsync("qemu-img", ["convert", "-f", "qcow2", "-O", "vmdk", "-o", "subformat=streamOptimized", qcow2, vmdk], Stop);

            foreach (var file in new[] { qcow2, vmdk })
                await BootAsync(await ExportAsync(server, file));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<string> ExportAsync(ServerProcess server, string file)
    {
        var vitrine = Checkout.Program("Vitrine.Cli", "vitrine");
        var pushed = (await Command.RunAsync(
            vitrine, ["image", "push", file, "--name", Path.GetFileNameWithoutExtension(file) + Path.GetExtension(file).Replace('.', '-'), "--json"],
            server.VitrineEnvironment)).Succeeded();
        var id = JsonDocument.Parse(pushed).RootElement.GetProperty("id").GetString()!;
        return (await Command.RunAsync(vitrine, ["image", "export", id, "-q"], server.VitrineEnvironment)).Succeeded().Split('\n')[0];
    }

    /// <summary>Ends when the guest asks for a login on its serial console.</summary>
    private static async Task BootAsync(string address)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        patience.CancelAfter(Patience);
        using var machine = Command.Start("qemu-system-x86_64",
        [
            "-machine", "pc", "-accel", HasKvm ? "kvm" : "tcg", "-cpu", "max", "-m", "512", "-display", "none", "-serial", "stdio", "-no-reboot", "-nic", "none",
            "-drive", $"file={address},format=raw,if=virtio,snapshot=on",
        ]);
        var seen = new StringBuilder();
        try
        {
            var buffer = new char[4096];
            while (!IsUp(seen.ToString()))
            {
                var read = await machine.StandardOutput.ReadAsync(buffer, patience.Token);
                if (read == 0)
                    Assert.Fail($"the machine ended: {seen} {await machine.StandardError.ReadToEndAsync(Stop)}");
                seen.Append(buffer, 0, read);
            }
        }
        catch (OperationCanceledException) when (!Stop.IsCancellationRequested)
        {
            Assert.Fail($"the guest did not come up: {seen}");
        }
        finally
        {
            if (!machine.HasExited)
                Signals.Kill(machine.Id);
            await machine.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static bool IsUp(string console) =>
        console.Contains(" login:", StringComparison.Ordinal) || console.Contains("MINI ready", StringComparison.Ordinal);

    /// <summary>Elsewhere the device may be there and be of no use.</summary>
    private static bool HasKvm => File.Exists("/dev/kvm") && (Directory.Exists("/sys/module/kvm_intel") || Directory.Exists("/sys/module/kvm_amd"));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
