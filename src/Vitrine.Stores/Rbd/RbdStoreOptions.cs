using System.ComponentModel.DataAnnotations;

namespace Vitrine.Stores.Rbd;

/// <summary>What an operator configures for a store in a pool of a Ceph cluster.</summary>
public sealed class RbdStoreOptions : IValidatableObject
{
    /// <summary>
    /// Ceph's configuration file, which names the monitors. Empty for none: then <see cref="Monitors"/> and <see cref="Keyring"/> are needed.
    /// Default: <c>/etc/ceph/ceph.conf</c>.
    /// </summary>
    public string ConfigFile { get; set; } = "/etc/ceph/ceph.conf";

    /// <summary>
    /// The user, without <c>client.</c> before it. It needs <c>profile rbd</c> for the monitors and the pool, and for the managers where capacity
    /// is to be reported.
    /// </summary>
    [Required, RegularExpression("[A-Za-z0-9_.-]{1,64}")]
    public string User { get; set; } = "";

    /// <summary>The file with the user's key. Default: where the configuration file says, or <c>/etc/ceph/ceph.client.USER.keyring</c>.</summary>
    public string? Keyring { get; set; }

    /// <summary>The monitors, where the configuration file does not name them: <c>10.0.0.1,10.0.0.2:6789</c>.</summary>
    [RegularExpression(@"[A-Za-z0-9.:,;\[\]/_-]{1,1000}")]
    public string? Monitors { get; set; }

    /// <summary>The pool. It must exist and be initialised for RBD: a misspelt name must not be taken for an empty store.</summary>
    [Required, RegularExpression("[A-Za-z0-9_.-]{1,128}")]
    public string Pool { get; set; } = "";

    /// <summary>The namespace in the pool, which must exist (<c>rbd namespace create</c>). Default: the pool's own.</summary>
    [RegularExpression("[A-Za-z0-9_.-]{1,128}")]
    public string? Namespace { get; set; }

    /// <summary>What the names of all images begin with, so that others can use the pool too. Default: <c>vitrine-</c>.</summary>
    [Required, RegularExpression("[a-z0-9][a-z0-9_.-]{0,31}")]
    public string Prefix { get; set; } = "vitrine-";

    /// <summary>How many blocks of 4 MiB a writer has under way at once; so much memory a writer takes. Default: 4.</summary>
    [Range(1, 64)]
    public int ParallelWrites { get; set; } = 4;

    /// <summary>How long the cluster may take for one answer before the call counts as failed. Default: 30 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(30);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (ConfigFile.Length > 0 && !File.Exists(ConfigFile))
            yield return new ValidationResult($"Ceph's configuration file {ConfigFile} is not there.", [nameof(ConfigFile)]);
        if (ConfigFile.Length == 0 && (Monitors is null || Keyring is null))
            yield return new ValidationResult("Without a ConfigFile, Monitors and Keyring are needed.", [nameof(ConfigFile)]);
        if (Keyring is not null && !File.Exists(Keyring))
            yield return new ValidationResult($"The keyring {Keyring} is not there.", [nameof(Keyring)]);
    }
}
