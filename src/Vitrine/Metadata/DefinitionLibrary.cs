using Vitrine.Access;

namespace Vitrine.Metadata;

/// <summary>What users may ask of metadata definitions. Everybody reads what is public or their project's; administrators write.</summary>
public sealed class DefinitionLibrary(IDefinitionCatalogue catalogue, TimeProvider time)
{
    private const int MaxCrossings = 10;

    /// <exception cref="DefinitionNotFoundException">There is none that the caller may know of.</exception>
    public async Task<DefinitionNamespace> GetAsync(string name, Caller caller, CancellationToken cancellationToken) =>
        await catalogue.FindAsync(name, cancellationToken) is { } space && MaySee(space, caller)
            ? space
            : throw new DefinitionNotFoundException(DefinitionKind.Namespace, name);

    /// <summary>One page of what the caller sees, without properties, objects and tags.</summary>
    public Task<IReadOnlyList<DefinitionNamespace>> ListAsync(NamespaceQuery query, Caller caller, CancellationToken cancellationToken) =>
        catalogue.ListAsync(query with { Sight = caller.IsAdmin ? null : new NamespaceSight(caller.Project) }, cancellationToken);

    public Task<IReadOnlyList<ResourceType>> ListResourceTypesAsync(CancellationToken cancellationToken) =>
        catalogue.ListResourceTypesAsync(cancellationToken);

    /// <param name="describe">Makes the namespace at the time that it is given.</param>
    /// <exception cref="DefinitionExistsException">There is one of this name, which the caller need not see.</exception>
    public Task<DefinitionNamespace> CreateAsync(
        Caller caller, Func<DateTimeOffset, DefinitionNamespace> describe, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("create metadata definitions");
        return catalogue.SaveAsync(DefinitionRules.Check(describe(time.Now())), cancellationToken);
    }

    /// <summary>Changes a namespace, or what is in it.</summary>
    /// <param name="change">What is to become of the namespace at a time. May be called again, where another change came first.</param>
    public async Task<DefinitionNamespace> ChangeAsync(
        string name, Caller caller, Func<DefinitionNamespace, DateTimeOffset, DefinitionNamespace> change, CancellationToken cancellationToken)
    {
        for (var crossings = 0; ; crossings++)
        {
            var space = await GetAsync(name, caller, cancellationToken);
            caller.RequireAdmin("change metadata definitions");
            var next = change(space, time.Now());
            if (next == space)
                return space;

            try
            {
                return await catalogue.SaveAsync(DefinitionRules.Check(next), cancellationToken);
            }
            catch (ConcurrentChangeException) when (crossings < MaxCrossings)
            {
                // The change is a function of what is there: apply it to what is there now.
            }
        }
    }

    /// <summary>Deletes a namespace with all that is in it.</summary>
    /// <exception cref="DefinitionProtectedException">It is protected.</exception>
    public async Task DeleteAsync(string name, Caller caller, CancellationToken cancellationToken)
    {
        for (var crossings = 0; ; crossings++)
        {
            var space = await GetAsync(name, caller, cancellationToken);
            caller.RequireAdmin("delete metadata definitions");
            try
            {
                await catalogue.DeleteAsync(space.RequireUnprotected(DefinitionKind.Namespace, name), cancellationToken);
                return;
            }
            catch (ConcurrentChangeException) when (crossings < MaxCrossings)
            {
                // Somebody changed it meanwhile, perhaps to protect it.
            }
        }
    }

    private static bool MaySee(DefinitionNamespace space, Caller caller) =>
        caller.IsAdmin || space.Public || space.Owner is null || space.Owner == caller.Project;
}
