namespace Vitrine.Testing.Sources;

/// <summary>A clock that stands still until a test steps it on, and that a test can await the setting of.</summary>
/// <remarks>Safe from any thread. Timers fire on the thread that steps, in the order of their times.</remarks>
public sealed class SteppedTime : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<SteppedTimer> _timers = [];
    private readonly List<(TimeSpan Due, TaskCompletionSource Set)> _awaited = [];
    private readonly DateTimeOffset _start;
    private DateTimeOffset _now;

    public SteppedTime(DateTimeOffset start) => _start = _now = start;

    /// <summary>Begins at the present, for code that meets certificates and other things with real dates.</summary>
    public SteppedTime()
        : this(System.GetUtcNow())
    {
    }

    // An odd frequency catches those who take ticks for milliseconds.
    public override long TimestampFrequency => 1_234_567;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
            return _now;
    }

    public override long GetTimestamp() => (long)((GetUtcNow() - _start).TotalSeconds * TimestampFrequency);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SteppedTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Done when somebody has set a timer to this time, from now on or before.</summary>
    public Task WhenSet(TimeSpan due)
    {
        lock (_lock)
        {
            if (_timers.Exists(timer => timer.Due == due))
                return Task.CompletedTask;

            var set = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((due, set));
            return set.Task;
        }
    }

    public void Step(TimeSpan time)
    {
        List<SteppedTimer> due;
        lock (_lock)
        {
            _now += time;
            due = [.. _timers.Where(timer => timer.At <= _now).OrderBy(timer => timer.At)];
            due.ForEach(timer => _timers.Remove(timer));
        }

        due.ForEach(timer => timer.Fire());
    }

    private sealed class SteppedTimer(SteppedTime time, TimerCallback callback, object? state) : ITimer
    {
        public TimeSpan Due { get; private set; }
        public DateTimeOffset At { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (period > TimeSpan.Zero)
                throw new NotSupportedException("Timers of this clock fire once.");

            lock (time._lock)
            {
                time._timers.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan)
                    return true;

                (Due, At) = (dueTime, time._now + dueTime);
                time._timers.Add(this);
                foreach (var (_, set) in time._awaited.Where(awaited => awaited.Due == dueTime))
                    set.TrySetResult();
            }

            return true;
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
