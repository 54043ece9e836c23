using Quartz;

namespace Vitrine.Cluster;

/// <summary>What is done regularly for each store, on one node at a time of those of the zone that reach it.</summary>
internal static class StoreJobs
{
    /// <summary>How many there are of a store.</summary>
    public const int OfEach = 3;

    private const string StoreKey = "store";

    /// <summary>Which nodes run the jobs of a store goes by this.</summary>
    public static string GroupOf(string store) => $"store:{store}";

    public static void Schedule(IQuartzBuilder quartz, string store)
    {
        Schedule<DescribeJob>(quartz, "describe", store, DescribeJob.Interval);
        Schedule<ReplicateJob>(quartz, "replicate", store, ReplicateJob.Interval);
        Schedule<SweepJob>(quartz, "sweep", store, SweepJob.Interval);
    }

    /// <summary>The same while the scheduler runs. Every node of the zone does it, and the jobs stay one of each.</summary>
    public static async Task ScheduleAsync(IScheduler scheduler, string store, CancellationToken cancellationToken)
    {
        await ScheduleAsync<DescribeJob>(scheduler, "describe", store, DescribeJob.Interval, cancellationToken);
        await ScheduleAsync<ReplicateJob>(scheduler, "replicate", store, ReplicateJob.Interval, cancellationToken);
        await ScheduleAsync<SweepJob>(scheduler, "sweep", store, SweepJob.Interval, cancellationToken);
    }

    /// <summary>Does the work for the store that the job names. A job of an earlier release named none, and is taken away.</summary>
    public static async Task RunAsync(IJobExecutionContext context, Func<string, Task> work, CancellationToken cancellationToken)
    {
        if (context.MergedJobDataMap.TryGetString(StoreKey, out var store) && store is not null)
            await work(store);
        else
            await context.Scheduler.DeleteJob(context.JobDetail.Key, cancellationToken);
    }

    private static async Task ScheduleAsync<TJob>(IScheduler scheduler, string what, string store, TimeSpan interval, CancellationToken cancellationToken)
        where TJob : IJob
    {
        var job = JobBuilder.Create<TJob>().WithIdentity(store, what).UsingJobData(StoreKey, store).StoreDurably().Build();
        var trigger = TriggerBuilder.Create().ForJob(job.Key).WithIdentity(store, what).WithExecutionGroup(GroupOf(store)).WithSimpleSchedule(interval).Build();
        await scheduler.AddJob(job, AddJobOptions.Replacing, cancellationToken);
        await scheduler.ScheduleTrigger(trigger, TriggerConflict.Keep, cancellationToken);
    }

    private static void Schedule<TJob>(IQuartzBuilder quartz, string what, string store, TimeSpan interval) where TJob : IJob => quartz.ScheduleJob<TJob>(
        trigger => trigger.WithIdentity(store, what).WithExecutionGroup(GroupOf(store)).WithSimpleSchedule(interval),
        job => job.WithIdentity(store, what).UsingJobData(StoreKey, store));
}
