using System.Text.Json.Serialization;
using Vitrine.Access;

namespace Vitrine.OpenStack.Identity;

/// <summary>What a token stands for, as Keystone v3 tells it. The token itself is in the header X-Subject-Token.</summary>
internal sealed record KeystoneToken
{
    public required IReadOnlyList<string> Methods { get; init; }
    public required TokenUser User { get; init; }
    public required IReadOnlyList<string> AuditIds { get; init; }
    public required string ExpiresAt { get; init; }
    public required string IssuedAt { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Scoped? Project { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? IsDomain { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IdAndName? Domain { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public WholeSystem? System { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<IdAndName>? Roles { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<CatalogueEntry>? Catalog { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TokenCredential? ApplicationCredential { get; init; }

    /// <param name="catalogue">Null leaves it out; an unscoped token has none in any case.</param>
    public static KeystoneToken From(Login login, IReadOnlyList<CatalogueEntry>? catalogue)
    {
        var scope = login.Scope is LoginScope.None ? null : AssignmentScope.From(login.Scope, withNames: true);
        return new KeystoneToken
        {
            Methods = login.Methods,
            User = new TokenUser(
                new IdAndName(login.UserDomain.Id, login.UserDomain.Name), login.User.Id.Value, login.User.Name, PasswordExpiresAt: null),
            AuditIds = login.AuditIds,
            ExpiresAt = KeystoneTime.Text(login.ExpiresAt),
            IssuedAt = KeystoneTime.Text(login.IssuedAt),
            Project = scope?.Project,
            IsDomain = scope?.Project is null ? null : false,
            Domain = scope?.Domain,
            System = scope?.System,
            Roles = scope is null ? null : [.. login.Roles.Select(r => new IdAndName(r.Id.Value, r.Name))],
            Catalog = scope is null ? null : catalogue,
            ApplicationCredential = login.Credential is { } credential
                ? new TokenCredential(credential.Id.Value, credential.Name, !credential.Unrestricted)
                : null,
        };
    }
}

internal sealed record TokenUser(IdAndName Domain, string Id, string Name, string? PasswordExpiresAt);

internal sealed record TokenCredential(string Id, string Name, bool Restricted);

internal sealed record TokenAnswer(KeystoneToken Token);
