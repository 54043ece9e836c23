namespace Vitrine.Testing;

/// <summary>The calls to a store, its readers and its writers, that a test can make fail or wait.</summary>
public enum StoreCall
{
    Find,
    Open,
    Read,
    OpenWriter,
    Write,
    ReadBack,
    Flush,
    Reset,
    Commit,

    /// <summary>After the inner store has committed: the answer is lost, the content is there.</summary>
    Committed,
    Discard,
    Delete,
    List,
    ListStaged,
    Measure,
    Probe,
}
