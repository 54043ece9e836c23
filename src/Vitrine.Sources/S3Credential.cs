namespace Vitrine.Sources;

/// <summary>A login at a server of objects, by the name that addresses call it: <c>s3://NAME@bucket/key</c>.</summary>
/// <remarks>Whoever may import may then fetch what it may read. The server itself has to be one that the policy allows.</remarks>
public sealed class S3Credential
{
    /// <summary>Letters, digits, dots and dashes. <c>default</c> is the one for addresses without a name.</summary>
    public string Name { get; set; } = "";

    /// <summary>The address of the server: <c>https://s3.eu-central-1.amazonaws.com</c>, <c>http://10.0.0.5:7480</c>.</summary>
    public string Endpoint { get; set; } = "";

    /// <summary>The region that requests are signed for. Servers other than AWS mostly take any.</summary>
    public string Region { get; set; } = "us-east-1";

    /// <summary>The access key. Swift's has a colon in it: <c>account:user</c>.</summary>
    public string AccessKey { get; set; } = "";

    /// <summary>The secret key. It signs, and never leaves this process.</summary>
    public string SecretKey { get; set; } = "";

    /// <summary>
    /// Whether the bucket is named in the path, as every server understands it, or in the name of the host, which AWS asks for.
    /// </summary>
    public bool PathStyle { get; set; } = true;

    // The default would print the secret.
    public override string ToString() => Name;
}
