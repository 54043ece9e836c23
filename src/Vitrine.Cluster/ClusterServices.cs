using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;
using Quartz;
using Vitrine.Nodes;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.Cluster;

/// <summary>What the composing program says of this node and of the engine behind it.</summary>
/// <param name="Address">Where the API listens, for other nodes and people.</param>
/// <param name="ConcurrentTransfers">How many imports run at once on this node.</param>
/// <param name="Engine">Where the jobs are kept.</param>
public sealed record ClusterOptions(
    IReadOnlyList<string> Roles, string Address, string Version, int ConcurrentTransfers, JobEngine Engine);

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
    // A sweep beside the transfers must not wait for one of them, nor for a scrub, which may take days; nor does what describes images.
    private const int ThreadsForSweeps = 2;

    // Each reads or writes a store as fast as it can.
    private const int ConcurrentOperations = 2;

    /// <summary>Adds the scheduler of this node's zone, its jobs, and the node's reports.</summary>
    public static IServiceCollection AddCluster(this IServiceCollection services, ThisNode node, ClusterOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton<ITransferScheduler, QuartzTransferScheduler>();
        services.AddSingleton<IStoreOperationScheduler, QuartzStoreOperationScheduler>();
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
        quartz.UseDefaultThreadPool(options.ConcurrentTransfers + ConcurrentOperations + ThreadsForSweeps);
        quartz.UseExecutionLimits(limits => limits
            .ForGroup(TransferJob.Key.Group, options.ConcurrentTransfers)
            .ForGroup(StoreOperationJob.Key.Group, ConcurrentOperations));
        quartz.UsePersistentStore(store => Configure(store, options.Engine));
        quartz.AddJob<TransferJob>(job => job.WithIdentity(TransferJob.Key).StoreDurably());
        quartz.AddJob<StoreOperationJob>(job => job.WithIdentity(StoreOperationJob.Key).StoreDurably());
        quartz.ScheduleJob<DescribeJob>(trigger => trigger
            .WithIdentity("describe", "stores")
            .WithSimpleSchedule(DescribeJob.Interval));
        quartz.ScheduleJob<SweepJob>(trigger => trigger
            .WithIdentity("sweep", "stores")
            .WithSimpleSchedule(SweepJob.Interval));
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
