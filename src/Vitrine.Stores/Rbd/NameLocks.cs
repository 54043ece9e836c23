using System.Text;
using static Vitrine.Stores.Rbd.CephNative;

namespace Vitrine.Stores.Rbd;

/// <summary>Lets one node at a time give or take away a name in a pool.</summary>
/// <remarks>
/// The locks are those of one object, 64 of them, each for all names with the same hash: their number is bounded since Ceph never forgets one.
/// They run out by themselves, so that a node that dies holds nobody up for long.
/// </remarks>
internal sealed class NameLocks(string store, string objectName, TimeProvider time)
{
    private const uint Slots = 64;
    private const uint HashStart = 2166136261; // FNV-1a, of 32 bits
    private const uint HashFactor = 16777619;

    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(200);

    /// <exception cref="StoreUnavailableException">Another node does not let go of it.</exception>
    public async Task<IAsyncDisposable> TakeAsync(RbdPool pool, string name, CancellationToken cancellationToken)
    {
        var (slot, cookie) = ($"slot-{HashOf(name) % Slots}", Guid.NewGuid().ToString("N"));
        var began = time.GetTimestamp();
        for (var pause = ShortestPause; !await Task.Run(() => TryTake(pool, slot, cookie), cancellationToken); pause = Longer(pause))
        {
            if (time.GetElapsedTime(began) > Patience)
                throw new StoreUnavailableException(store, "another node holds the lock on a name and does not let go.");

            await Task.Delay(pause, time, cancellationToken);
        }

        return new Held(pool, objectName, slot, cookie);
    }

    private bool TryTake(RbdPool pool, string slot, string cookie)
    {
        var result = rados_lock_exclusive(pool.Handle, objectName, slot, cookie, "a name is being given", TimeValue.From(Lifetime), flags: 0);
        if (result == -CephError.Busy)
            return false;

        CephException.Check(result, "take a lock");
        return true;
    }

    private static TimeSpan Longer(TimeSpan pause) => pause * 2 < LongestPause ? pause * 2 : LongestPause;

    private static uint HashOf(string name) => Encoding.UTF8.GetBytes(name).Aggregate(HashStart, (hash, b) => (hash ^ b) * HashFactor);

    private sealed class Held(RbdPool pool, string objectName, string slot, string cookie) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            // What cannot be unlocked runs out.
            if (!pool.Handle.IsClosed)
                await Task.Run(() => rados_unlock(pool.Handle, objectName, slot, cookie));
        }
    }
}
