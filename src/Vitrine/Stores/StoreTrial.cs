namespace Vitrine.Stores;

/// <summary>Tries one promise of a store after the other, until one is not kept.</summary>
internal abstract class StoreTrial(string store, IContentStore contents, TimeProvider time)
{
    protected string Store => store;
    protected IContentStore Contents => contents;

    /// <param name="steps">Each returns where its promise is kept, and throws where not.</param>
    protected async Task<CheckResult> RunAsync(
        bool isReadOnly, IReadOnlyList<(string Name, string Promise, Func<CancellationToken, Task> Try)> steps, IProgress<UpkeepProgress> progress,
        CancellationToken cancellationToken)
    {
        var kept = new List<CheckStep>();
        foreach (var (name, promise, attempt) in steps)
        {
            progress.Report(new UpkeepProgress(kept.Count, steps.Count));
            var began = time.GetTimestamp();
            try
            {
                await attempt(cancellationToken);
            }
            catch (LibraryException failure)
            {
                var fault = new CheckFault(name, promise, new StoreOperationFailure(failure.Code, failure.Message, failure.Remedy));
                return new CheckResult(isReadOnly, kept, fault);
            }

            kept.Add(new CheckStep(name, promise, time.GetElapsedTime(began)));
        }

        progress.Report(new UpkeepProgress(steps.Count, steps.Count));
        return new CheckResult(isReadOnly, kept, Fault: null);
    }

    protected void Require(bool isKept, string found)
    {
        if (!isKept)
            throw new StorePromiseException(store, found);
    }

    protected async Task MeasureAsync(CancellationToken cancellationToken)
    {
        var capacity = await contents.MeasureAsync(cancellationToken);
        Require(capacity.Free is null || capacity.Free is >= 0 && capacity.Free <= capacity.Total, "more is free than there is.");
    }
}
