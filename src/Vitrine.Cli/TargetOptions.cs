using System.CommandLine;

namespace Vitrine.Cli;

/// <summary>The options that say which stores receive content.</summary>
internal sealed class TargetOptions
{
    private readonly Option<string[]> _stores = new("--store")
    {
        Description = "A store that receives the content; more than once for several.",
        HelpName = "NAME",
    };

    private readonly Option<string> _zone = new("--zone") { Description = "The zone whose default store receives it.", HelpName = "NAME" };

    private readonly Option<bool> _all = new("--all-stores") { Description = "Every store that takes new content." };

    public void AddTo(Command command)
    {
        command.Add(_stores);
        command.Add(_zone);
        command.Add(_all);
        command.Validators.Add(result =>
        {
            Option[] ways = [_stores, _zone, _all];
            if (ways.Count(way => result.GetResult(way) is { Implicit: false }) > 1)
                result.AddError("--store, --zone and --all-stores exclude each other.");
        });
    }

    /// <summary>Null where none was named.</summary>
    public IReadOnlyList<string>? Stores(Invocation run) => run.Get(_stores) is { Length: > 0 } names ? names : null;

    public string? Zone(Invocation run) => run.Get(_zone);

    public bool? All(Invocation run) => run.Get(_all) ? true : null;

    public bool Any(Invocation run) => run.Has(_stores) || run.Has(_zone) || run.Has(_all);
}
