using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;
using Quartz;
using Vitrine.Nodes;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.Cluster;

/// <summary>What the composing program says of this node and of the engine behind it.</summary>
/// <param name="Address">Where the API listens, for other nodes and people.</param>
/// <param name="Stores">The names of the stores that this node is configured with.</param>
/// <param name="Engine">Where the jobs are kept.</param>
public sealed record ClusterOptions(string Address, string Version, IReadOnlyList<string> Stores, JobEngine Engine);

/// <summary>Where Quartz keeps its jobs.</summary>
public abstract record JobEngine
{
    private JobEngine()
    {
    }

    /// <summary>A database file of this node's own; for one node.</summary>
    public sealed record Embedded(DbProviderFactory Provider, string ConnectionString) : JobEngine;

    /// <summary>The PostgreSQL database that all nodes share; they share the work, too.</summary>
    public sealed record Clustered(string ConnectionString) : JobEngine;
}

public static class ClusterServices
{
    /// <summary>Adds the scheduler of this node's zone, its jobs, and the node's reports.</summary>
    public static IServiceCollection AddCluster(this IServiceCollection services, ThisNode node, ClusterOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton<ITransferScheduler, QuartzTransferScheduler>();
        services.AddSingleton<IStoreOperationScheduler, QuartzStoreOperationScheduler>();
        services.AddSingleton<NodeReminders>();
        services.AddHostedService<NodeService>();
        services.AddQuartz(quartz => Configure(quartz, node, options));

        // Transfers are told to stop and put themselves back into the queue; that takes a moment.
        services.AddQuartzHostedService(hosted => hosted.WaitForJobsToComplete = true);
        return services;
    }

    private static void Configure(IQuartzBuilder quartz, ThisNode node, ClusterOptions options)
    {
        quartz.ConfigureScheduler(scheduler =>
        {
            scheduler.InstanceName = $"vitrine-{node.Zone}";
            scheduler.InstanceId = node.Instance;
            scheduler.ShutdownJobInterruption = ShutdownJobInterruption.Always;
        });
        quartz.UseDefaultThreadPool(NodeReminders.PlacesFor(options));
        quartz.UseExecutionLimits(limits => NodeReminders.Limit(limits, options.Stores, isWanted: node.Roles.Contains(NodeRole.Transfer)));
        quartz.UsePersistentStore(store => Configure(store, options.Engine));
        quartz.AddJob<TransferJob>(job => job.WithIdentity(TransferJob.Key).StoreDurably());
        quartz.AddJob<StoreOperationJob>(job => job.WithIdentity(StoreOperationJob.Key).StoreDurably());
        foreach (var store in options.Stores)
            StoreJobs.Schedule(quartz, store);
    }

    private static void Configure(IPersistentStoreBuilder store, JobEngine engine)
    {
        store.ProvisionSchema();
        switch (engine)
        {
            case JobEngine.Embedded embedded:
                store.UseSqlite(embedded.Provider, embedded.ConnectionString);
                break;
            case JobEngine.Clustered clustered:
                store.UsePostgres(clustered.ConnectionString);
                store.UseClustering();
                break;
        }
    }
}
