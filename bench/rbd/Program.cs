using System.Security.Cryptography;
using Vitrine.Content;
using Vitrine.Formats;
using Vitrine.Stores;
using Vitrine.Stores.Rbd;

// usage: rbd-store put|ingest|get|delete FILE
//   put      takes the file into the store, from where an earlier put was killed on, under the digest that the file FILE.sha256 has, or writes that file first
//   ingest   does it as an upload is taken, with all digests and the inspection
//   get      writes the content of that digest to FILE.out
// The cluster is that of CEPH_CONF, RBD_POOL, RBD_USER and RBD_KEYRING, as tests/servers/ceph-up prints them.
if (args is not [var what, var path])
{
    Console.Error.WriteLine("usage: rbd-store put|ingest|get|delete FILE");
    return 2;
}

using var store = RbdStore.Open(
    "bench",
    new RbdStoreOptions { ConfigFile = Of("CEPH_CONF"), Pool = Of("RBD_POOL"), User = Of("RBD_USER"), Keyring = Of("RBD_KEYRING"), Prefix = "bench-" },
    TimeProvider.System);
var digest = await DigestOfAsync(path);
switch (what)
{
    case "put":
        await PutAsync();
        break;
    case "ingest":
        await IngestAsync();
        break;
    case "get":
        await GetAsync();
        break;
    default:
        await store.DeleteAsync(digest, CancellationToken.None);
        break;
}

return 0;

async Task PutAsync()
{
    await using var file = OpenFile(path);
    await using var writer = await store.OpenWriterAsync(new StagingKey("bench"), CancellationToken.None);
    file.Position = writer.Length;
    var buffer = new byte[1 << 20];
    while (await file.ReadAsync(buffer) is > 0 and var count)
        await writer.WriteAsync(buffer.AsMemory(0, count), CancellationToken.None);
    await writer.CommitAsync(digest, CancellationToken.None);
}

async Task IngestAsync()
{
    await using var file = OpenFile(path);
    await using var ingest = new Ingest(
        await store.OpenWriterAsync(new StagingKey("bench"), CancellationToken.None), new FormatInspector(), sums: [ChecksumAlgorithm.Md5, ChecksumAlgorithm.Sha512], TimeProvider.System);
    await ingest.TakeAsync(file, file.Length, long.MaxValue, _ => Task.CompletedTask, CancellationToken.None);
    await ingest.CommitAsync((await ingest.FinishAsync(CancellationToken.None)).Digest, CancellationToken.None);
}

async Task GetAsync()
{
    await using var reader = await store.OpenAsync(digest, CancellationToken.None);
    await using var file = new FileStream(path + ".out", FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.Asynchronous);
    var buffer = new byte[128 * 1024];
    for (var offset = 0L; await reader.ReadAsync(offset, buffer, CancellationToken.None) is > 0 and var count; offset += count)
        await file.WriteAsync(buffer.AsMemory(0, count));
}

static async Task<Digest> DigestOfAsync(string path)
{
    if (!File.Exists(path + ".sha256"))
    {
        await using var file = OpenFile(path);
        await File.WriteAllTextAsync(path + ".sha256", Digest.FromHash(await SHA256.HashDataAsync(file)).Hex);
    }

    return Digest.Parse(await File.ReadAllTextAsync(path + ".sha256"));
}

static FileStream OpenFile(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.Asynchronous);

static string Of(string variable) => Environment.GetEnvironmentVariable(variable) ?? throw new InvalidOperationException($"{variable} is not set.");
