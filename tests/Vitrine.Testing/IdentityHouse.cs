using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Vitrine.Access;
using Vitrine.Catalogue;

namespace Vitrine.Testing;

/// <summary>Identity as the server has it, on a database file of its own, with the clock in the test's hands.</summary>
public sealed class IdentityHouse : IAsyncDisposable
{
    public const string AdminPassword = "the admin's pass phrase";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("vitrine-identity-");
    private readonly ServiceProvider _services;

    private IdentityHouse() => _services = AddTo(new ServiceCollection(), Path.Combine(_directory.FullName, "catalogue.db"), Clock)
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().Build())
        .AddLogging()
        .BuildServiceProvider();

    public ManualClock Clock { get; } = new();
    public Logins Logins => _services.GetRequiredService<Logins>();
    public IdentityAdministration Identity => _services.GetRequiredService<IdentityAdministration>();
    public IIdentityCatalogue Catalogue => _services.GetRequiredService<IIdentityCatalogue>();
    public Bootstrap Bootstrap => _services.GetRequiredService<Bootstrap>();
    public IPasswordHasher Hasher => _services.GetRequiredService<IPasswordHasher>();

    /// <summary>Another node's memory on the same catalogue and with the same keys.</summary>
    public Logins OtherNode() => new(
        Catalogue, Hasher, _services.GetRequiredService<TokenSeal>(), new LoginOptions(), Clock,
        Microsoft.Extensions.Logging.Abstractions.NullLogger<Logins>.Instance);

    public static async Task<IdentityHouse> StartAsync(CancellationToken cancellationToken, bool bootstrapped = true)
    {
        var house = new IdentityHouse();
        foreach (var service in house._services.GetServices<IHostedService>().OfType<IHostedLifecycleService>())
            await service.StartingAsync(cancellationToken);
        if (bootstrapped)
            await house.Bootstrap.RunAsync(AdminPassword, cancellationToken);
        return house;
    }

    /// <summary>What a host needs for identity on a database file, with keys that are gone with the process and quick passwords.</summary>
    public static IServiceCollection AddTo(IServiceCollection services, string file, TimeProvider clock)
    {
        services.AddSingleton(clock);
        services.AddCatalogue(new CatalogueOptions { ConnectionString = $"Data Source={file}" });
        services.AddIdentity();
        // Tests make many users, and none of them is worth guarding.
        services.Configure<PasswordHasherOptions>(options => options.IterationCount = 1);
        services.AddDataProtection().UseEphemeralDataProtectionProvider();
        return services;
    }

    public Task<Login> AdminAsync(CancellationToken cancellationToken) =>
        LogInAsync(Bootstrap.AdminName, AdminPassword, ToProject(Bootstrap.AdminName), cancellationToken);

    public Task<Login> LogInAsync(string user, string password, ScopeRequest scope, CancellationToken cancellationToken) =>
        Logins.ByPasswordAsync(UserReference.ByName(user), password, scope, cancellationToken);

    /// <summary>A user with a role in a project of its own.</summary>
    public async Task<Guest> AddGuestAsync(string name, string role, CancellationToken cancellationToken)
    {
        var admin = (await AdminAsync(cancellationToken)).Caller;
        var password = $"{name}'s pass phrase";
        var project = await Identity.CreateProjectAsync(admin, new ProjectDraft(name), cancellationToken);
        var user = await Identity.CreateUserAsync(admin, new UserDraft(name, password), cancellationToken);
        var held = (await Catalogue.ListRolesAsync(role, cancellationToken)).Single();
        var assignment = new RoleAssignment(user.Id, AssignmentTarget.Project(project.Id), held.Id);
        await Identity.AssignAsync(admin, assignment, cancellationToken);
        return new Guest(user, password, project, assignment);
    }

    public static ScopeRequest ToProject(string name) =>
        new ScopeRequest.ToProject(new ProjectReference(Id: null, name, new DomainReference(IdentityIds.DefaultDomain, Name: null)));

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        _directory.Delete(recursive: true);
    }
}

public sealed record Guest(User User, string Password, Project Project, RoleAssignment Assignment);
