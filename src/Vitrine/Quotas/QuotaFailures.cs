using Vitrine.Access;

namespace Vitrine.Quotas;

/// <summary>The project would have more than it may.</summary>
/// <param name="use">What it has, in the unit of the resource.</param>
/// <param name="more">What was asked for.</param>
public sealed class QuotaExceededException(ProjectId project, QuotaResource resource, long limit, long use, long more)
    : LibraryException($"Project {project} may have {limit} of '{resource.Word()}', has {use}, and asks for {more} more.")
{
    public ProjectId Project { get; } = project;
    public QuotaResource Resource { get; } = resource;
    public long Limit { get; } = limit;
    public long Use { get; } = use;
    public long More { get; } = more;

    public override string Code => "quota-exceeded";

    public override string Remedy => "Delete what is not needed, wait for what is under way, or ask the operator to raise the quota.";
}

public sealed class QuotaNotFoundException(string id) : LibraryException($"There is no limit {id}.")
{
    public string Id { get; } = id;

    public override string Code => "quota-not-found";

    public override string Remedy => "List the limits to find its id.";
}

/// <summary>There is one of the same resource for the same project, or for all.</summary>
public sealed class QuotaExistsException(ProjectId? project, QuotaResource resource)
    : LibraryException($"There is a limit of '{resource.Word()}' for {(project is { } one ? $"project {one}" : "all projects")} already.")
{
    public override string Code => "quota-exists";

    public override string Remedy => "Change the one that is there.";
}
