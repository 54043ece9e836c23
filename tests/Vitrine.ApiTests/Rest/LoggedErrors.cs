using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Vitrine.ApiTests.Rest;

/// <summary>Keeps what is logged as an error, which no request may cause.</summary>
internal sealed class LoggedErrors : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> _errors = [];

    public IReadOnlyCollection<string> All => _errors;

    /// <summary>Those of which a test knew that they would come.</summary>
    public IReadOnlyList<string> Take()
    {
        var taken = new List<string>();
        while (_errors.TryDequeue(out var error))
            taken.Add(error);

        return taken;
    }

    /// <summary>Everything that was logged, as an operator would read it.</summary>
    public ConcurrentQueue<string> Lines { get; } = [];

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var line = $"{formatter(state, exception)} {exception}";
        Lines.Enqueue(line);
        if (logLevel >= LogLevel.Error)
            _errors.Enqueue(line);
    }

    public void Dispose()
    {
        // There is nothing to let go of.
    }
}
