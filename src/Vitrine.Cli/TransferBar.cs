using Spectre.Console;
using Vitrine.Client;

namespace Vitrine.Cli;

/// <summary>Shows how far a transfer is: a bar where somebody looks, a line now and then where not.</summary>
internal sealed class TransferBar(Invocation invocation)
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(5);

    private readonly TimeProvider _time = invocation.Terminal.Time;
    private readonly RateMeter _meter = new(invocation.Terminal.Time);

    private TextWriter Output => invocation.Terminal.Error;

    /// <summary>Runs the work, which reports to what it is given.</summary>
    public async Task<T> RunAsync<T>(string title, Func<IProgress<TransferProgress>, Task<T>> work)
    {
        if (invocation.Quiet || invocation.Json)
            return await work(new Silent());
        if (!invocation.Terminal.IsInteractive)
            return await work(new Lines(this, title));

        return await invocation.Terminal.Bars.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn())
            .StartAsync(bars => work(new Bar(this, title, bars.AddTask(Markup.Escape(title), maxValue: 1))));
    }

    private string Describe(TransferProgress progress)
    {
        _meter.Observe(progress.Moved);
        var text = $"{Amounts.Bytes(progress.Moved)} of {Amounts.Bytes(progress.Length > 0 ? progress.Length : null)}";
        if (_meter.Rate >= 1)
            text += $", {Amounts.Rate(_meter.Rate)}";
        return _meter.Left(progress.Length) is { } left && progress.Moved < progress.Length ? $"{text}, {Amounts.Duration(left)} left" : text;
    }

    private sealed class Silent : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value)
        {
        }
    }

    private sealed class Lines(TransferBar owner, string title) : IProgress<TransferProgress>
    {
        private long? _last;

        public void Report(TransferProgress value)
        {
            var text = owner.Describe(value);
            if (_last is { } last && owner._time.GetElapsedTime(last) < LineInterval && value.Moved != value.Length)
                return;

            _last = owner._time.GetTimestamp();
            owner.Output.WriteLine($"{title}: {Amounts.Percent(value.Moved, value.Length)}, {text}");
        }
    }

    private sealed class Bar(TransferBar owner, string title, ProgressTask task) : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value)
        {
            task.Description = Markup.Escape($"{title}  {owner.Describe(value)}");
            task.IsIndeterminate = value.Length <= 0;
            if (value.Length > 0)
            {
                task.MaxValue = value.Length;
                task.Value = value.Moved;
            }
        }
    }
}
