using System.ComponentModel.DataAnnotations;

namespace Vitrine.Stores.Objects.S3;

/// <summary>What an operator configures for a store in a bucket: of AWS, of Ceph's radosgw, of Swift's S3 layer or of another server of the kind.</summary>
public sealed class S3StoreOptions : IValidatableObject
{
    /// <summary>The address of the server: <c>https://s3.example.com</c>, <c>http://10.0.0.5:7480</c>. Proxies of the environment are not used.</summary>
    [Required]
    public string Endpoint { get; set; } = "";

    /// <summary>The bucket. It must exist: a misspelt name must not be taken for an empty store.</summary>
    [Required, RegularExpression("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")]
    public string Bucket { get; set; } = "";

    /// <summary>What the names of all objects begin with, so that stores can share a bucket: <c>vitrine/</c>. Default: nothing.</summary>
    [RegularExpression("([a-z0-9][a-z0-9.-]*/)*")]
    public string Prefix { get; set; } = "";

    /// <summary>The region that requests are signed for. Servers other than AWS mostly take any. Default: <c>us-east-1</c>.</summary>
    [Required, RegularExpression("[a-z0-9-]+")]
    public string Region { get; set; } = "us-east-1";

    /// <summary>The access key. Swift's has a colon in it: <c>account:user</c>.</summary>
    [Required]
    public string AccessKey { get; set; } = "";

    /// <summary>The secret key. It signs, and never leaves this process.</summary>
    [Required]
    public string SecretKey { get; set; } = "";

    /// <summary>
    /// Whether the bucket is named in the path, as every server understands it, or in the name of the host, which AWS asks for
    /// and which needs the DNS to answer for <c>BUCKET.host</c>. Default: in the path.
    /// </summary>
    public bool PathStyle { get; set; } = true;

    /// <summary>
    /// Signs what is sent over plain http block by block, which spares a pass over it: AWS and radosgw know it, Swift refuses it,
    /// and some servers keep the signatures as if they were the object's bytes. Over https nothing is signed but the request. Default: no.
    /// </summary>
    public bool ChunkedSigning { get; set; }

    /// <summary>
    /// Sends checksums of the newer kinds behind each body: AWS knows them, radosgw before Squid and Swift refuse every such request.
    /// Bodies are guarded either way, by the SHA-256 that is signed or by Content-MD5. Default: no.
    /// </summary>
    public bool ChecksumTrailers { get; set; }

    /// <summary>
    /// How many requests may be under way at once. More use a fast network better, and more memory: up to 8 MiB each, of which at most
    /// three are parts of packs. Default: 8.
    /// </summary>
    [Range(1, 256)]
    public int ParallelRequests { get; set; } = 8;

    /// <summary>
    /// How often a request is sent again where the server is overloaded, does not answer or breaks off, with pauses that double from
    /// 0.1 to 5 seconds. Default: 8, which is about 15 seconds.
    /// </summary>
    [Range(0, 100)]
    public int Retries { get; set; } = 8;

    /// <summary>How long one request, of at most 16 MiB, may take before it counts as failed. Default: 1 minute.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How many bytes the store may hold, for reports and for the refusal of what would not fit: a bucket does not tell. With it, looking
    /// how much room is left lists the whole store. Default: no bound.
    /// </summary>
    [Range(1, long.MaxValue)]
    public long? Quota { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        Uri.TryCreate(Endpoint, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" && address.Host.Length > 0
            ? []
            : [new ValidationResult("The Endpoint must be the http or https address of a server.", [nameof(Endpoint)])];

    /// <summary>The same bucket by another address.</summary>
    internal S3StoreOptions At(Uri address)
    {
        var there = (S3StoreOptions)MemberwiseClone();
        there.Endpoint = address.AbsoluteUri;
        return there;
    }
}
