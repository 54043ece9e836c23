using System.Collections.Concurrent;

namespace Vitrine.Access;

/// <summary>Slows down whoever tries passwords: after some wrong ones in a row nothing is tried for a while.</summary>
/// <remarks>
/// Counts per user or application credential that exists, so its size is bounded by theirs. It lives in this process's memory;
/// <see cref="LoginOptions.FailuresBeforeLockout"/> says what follows from that.
/// </remarks>
internal sealed class FailedLogins(LoginOptions options, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Streak> _streaks = new();

    /// <summary>Counts the attempt as failed before it is made, so that many at once cannot all slip through.</summary>
    /// <returns>False while the subject is locked out.</returns>
    public bool TryBegin(string subject)
    {
        var now = time.Now();
        var streak = _streaks.AddOrUpdate(subject, _ => new Streak(1, now), (_, was) => was.Next(now, options));
        return streak.Failures <= options.FailuresBeforeLockout;
    }

    public void Succeeded(string subject) => _streaks.TryRemove(subject, out _);

    private readonly record struct Streak(int Failures, DateTimeOffset Last)
    {
        // The time of the last attempt that was let through stays, so that asking during the lockout does not prolong it.
        public Streak Next(DateTimeOffset now, LoginOptions options)
        {
            if (now - Last >= options.LockoutTime)
                return new Streak(1, now);

            var allowed = options.FailuresBeforeLockout;
            return Failures > allowed ? this : new Streak(Failures + 1, Failures == allowed ? Last : now);
        }
    }
}
