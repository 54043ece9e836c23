using System.ComponentModel.DataAnnotations;

namespace Vitrine.Access;

/// <summary>The section <c>Identity</c>.</summary>
public sealed class LoginOptions
{
    /// <summary>How long a token holds. Longer spares clients logins; shorter limits what a stolen one is worth. Default: 12 hours.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "30.00:00:00")]
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromHours(12);

    /// <summary>
    /// After this many wrong passwords in a row a user cannot log in for <see cref="LockoutTime"/>. Each node counts for
    /// itself, in memory: a restart forgets, and a cluster allows this many on each node. Default: 10.
    /// </summary>
    [Range(1, 1000)]
    public int FailuresBeforeLockout { get; set; } = 10;

    /// <summary>Short, because whoever knows a name can lock its user out. Default: 1 minute.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan LockoutTime { get; set; } = TimeSpan.FromMinutes(1);
}
