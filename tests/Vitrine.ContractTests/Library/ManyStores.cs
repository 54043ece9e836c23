using System.Security.Cryptography;
using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Stores;

namespace Vitrine.ContractTests.Library;

/// <summary>A library of three stores, each in a zone of its own, and what tests of replicas do to it.</summary>
public abstract class ManyStores : IDisposable
{
    internal const string Second = "second";
    internal const string Third = "third";

    private protected static readonly Caller Admin = LibraryHome.Caller with { Roles = new HashSet<string> { RoleNames.Admin } };

    private protected LibraryHome Home { get; private set; } = new();

    private protected static Caller Caller => LibraryHome.Caller;

    private protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Home.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected void UseChunkedStores()
    {
        Home.Dispose();
        Home = new LibraryHome { IsChunked = true };
    }

    private protected Task<LibraryNode> StartAsync() => Home.StartAsync(others: [Second, Third]);

    private protected static CopyRequest To(params string[] stores) => new(new StoreChoice { Names = stores });

    private protected static Task<(ImageId Image, byte[] Content)> NewImageAsync(LibraryNode node) => NewImageAsync(node, 300_000);

    private protected static async Task<(ImageId Image, byte[] Content)> NewImageAsync(LibraryNode node, int size)
    {
        var content = RandomNumberGenerator.GetBytes(size);
        return (await NewImageAsync(node, content), content);
    }

    private protected static async Task<ImageId> NewImageAsync(LibraryNode node, byte[] content)
    {
        var image = await node.NewImageAsync();
        await node.ReceiveAsync(image, content);
        return image;
    }

    private protected static async Task CopyAsync(LibraryNode node, ImageId image, string store) =>
        await node.RunAsync(Assert.Single(await node.Copies.CopyAsync(image, To(store), Caller, Stop)).Id);

    /// <summary>Runs an operation, and what it asks for, to their ends.</summary>
    private protected static async Task<StoreOperation> OperateAsync(LibraryNode node, string store, StoreTask task)
    {
        var begun = await node.Operations.RequestAsync(store, task, Admin, Stop);
        var running = node.OperationRunner.RunAsync(begun.Id, Stop);
        while (!running.IsCompleted)
        {
            await node.AdoptAsync();
            await Task.WhenAny(running, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Stop));
        }

        await running;
        return await node.Operations.GetAsync(store, begun.Id, Admin, Stop);
    }

    private protected static async Task<ReplicaState> StateAsync(LibraryNode node, ImageId image, string store) =>
        (await node.Replicas.ListAsync([image], Stop)).Single(r => r.Store == store).State;

    private protected static async Task<IEnumerable<(string Store, ReplicaState State)>> StatesAsync(LibraryNode node, ImageId image) =>
        (await node.Replicas.ListAsync([image], Stop)).Select(r => (r.Store, r.State));

    private protected static async Task<byte[]> ReadAsync(LibraryNode node, string store, Digest digest)
    {
        await using var reader = await node.Registry.Contents(store).OpenAsync(digest, Stop);
        var bytes = new byte[reader.Length];
        for (var read = 0; read < bytes.Length;)
            read += await reader.ReadAsync(read, bytes.AsMemory(read), Stop);

        return bytes;
    }

    /// <summary>Flips a bit in the middle of content of a store.</summary>
    private protected void Damage(string directory, Digest digest) =>
        Damage(Directory.EnumerateFiles(Home.PathOf(directory), "*", SearchOption.AllDirectories).Single(f => Path.GetFileName(f).Contains(digest.Hex[4..], StringComparison.Ordinal)));

    /// <summary>The same of the only pack of a store.</summary>
    private protected void DamagePack(string directory) =>
        Damage(Directory.EnumerateFiles(Path.Combine(Home.PathOf(directory), "packs"), "*", SearchOption.AllDirectories).Single());

    private static void Damage(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 1;
        File.SetAttributes(path, FileAttributes.Normal);
        File.WriteAllBytes(path, bytes);
    }
}
