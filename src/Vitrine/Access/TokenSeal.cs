using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Vitrine.Access;

/// <summary>Turns what a login claims into a token and back. What nobody else can make need not be stored.</summary>
/// <param name="protector">Must serve tokens alone: text that somebody had protected as another secret would else be a token.</param>
public sealed class TokenSeal(ISecretProtector protector)
{
    /// <summary>No token of ours comes near this; what is longer is not even decrypted.</summary>
    private const int MaxLength = 4096;

    internal string Seal(TokenClaims claims) =>
        protector.Protect(JsonSerializer.Serialize(claims, TokenJson.Default.TokenClaims));

    /// <exception cref="UnauthenticatedException">Not a token of ours.</exception>
    internal TokenClaims Open(string token)
    {
        if (token.Length is 0 or > MaxLength)
            throw new UnauthenticatedException();

        try
        {
            return JsonSerializer.Deserialize(protector.Unprotect(token), TokenJson.Default.TokenClaims)
                ?? throw new UnauthenticatedException();
        }
        catch (Exception error) when (error is CryptographicException or JsonException or FormatException)
        {
            throw new UnauthenticatedException();
        }
    }
}

/// <summary>What is inside a token. The names are short because the token travels with every request.</summary>
internal sealed record TokenClaims
{
    [JsonPropertyName("u")]
    public required string User { get; init; }

    /// <summary>Null for an unscoped login. Written as a number, so the order of the kinds is part of what a token is.</summary>
    [JsonPropertyName("k")]
    public AssignmentKind? ScopeKind { get; init; }

    [JsonPropertyName("s")]
    public string? ScopeId { get; init; }

    [JsonPropertyName("c")]
    public string? Credential { get; init; }

    [JsonPropertyName("m")]
    public required ImmutableArray<string> Methods { get; init; }

    [JsonPropertyName("a")]
    public required ImmutableArray<string> AuditIds { get; init; }

    [JsonPropertyName("i")]
    public required DateTimeOffset IssuedAt { get; init; }

    [JsonPropertyName("e")]
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary><see cref="Access.User.TokensValidFrom"/> as it stood at the login.</summary>
    [JsonPropertyName("f")]
    public required DateTimeOffset ValidFrom { get; init; }

    [JsonIgnore]
    public AssignmentTarget? Target => ScopeKind is { } kind ? AssignmentTarget.Of(kind, ScopeId ?? "") : null;
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TokenClaims))]
internal sealed partial class TokenJson : JsonSerializerContext;
