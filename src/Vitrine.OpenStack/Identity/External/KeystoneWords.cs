using System.Text.Json.Serialization;

namespace Vitrine.OpenStack.Identity.External;

/// <summary>A domain, user, project or role as Keystone tells of it.</summary>
internal sealed record KnownAs(string Id, string? Name, KnownAs? Domain);

/// <summary>What Keystone says of a token.</summary>
internal sealed record ToldToken
{
    public required KnownAs User { get; init; }
    public KnownAs? Project { get; init; }
    public KnownAs? Domain { get; init; }
    public IReadOnlyDictionary<string, bool>? System { get; init; }
    public IReadOnlyList<KnownAs> Roles { get; init; } = [];
    public IReadOnlyList<string> Methods { get; init; } = [];
    public IReadOnlyList<string> AuditIds { get; init; } = [];
    public required DateTimeOffset IssuedAt { get; init; }
    public required DateTimeOffset ExpiresAt { get; init; }
}

internal sealed record ToldTokenAnswer(ToldToken Token);

internal sealed record ToldProjects(IReadOnlyList<KnownAs> Projects);

/// <summary>The body of <c>POST /v3/auth/tokens</c>. What is null is left out.</summary>
internal sealed record AuthenticationBody(AuthenticationBody.Request Auth)
{
    public sealed record Request(Proof Identity, Scope? Scope);

    public sealed record Named(string? Id, string? Name, Named? Domain, string? Password = null);

    public sealed record ByPassword(Named User);

    public sealed record ByToken(string Id);

    public sealed record ByCredential(string? Id, string? Name, string Secret, Named? User);

    public sealed record Proof(IReadOnlyList<string> Methods, ByPassword? Password = null, ByToken? Token = null, ByCredential? ApplicationCredential = null);

    public sealed record Scope(Named Project);

    /// <summary>Never prints the secrets, as logs print records.</summary>
    public override string ToString() => nameof(AuthenticationBody);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AuthenticationBody))]
[JsonSerializable(typeof(ToldTokenAnswer))]
[JsonSerializable(typeof(ToldProjects))]
internal sealed partial class ExternalJson : JsonSerializerContext;
