using System.Security.Cryptography.X509Certificates;

namespace Vitrine.Client;

/// <summary>How a client reaches and enters a library.</summary>
public sealed record LibraryClientOptions
{
    /// <summary>A token that is there already; null has one made of <see cref="Credentials"/> with the first request.</summary>
    public string? Token { get; init; }

    /// <summary>What to log in by, also again whenever a token no longer holds; null where there is only a token.</summary>
    public TokenRequest? Credentials { get; init; }

    /// <summary>How long pushes, pulls and watches go on trying while nothing moves. Default: 10 minutes.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long one answer, or one piece of a file, may take to come. Default: 100 seconds.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>The authorities that are trusted in the place of the system's; null trusts the system's.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>
    /// Makes of Zstandard frames (RFC 8878) a stream of what they mean, which closes the other: then images come in fewer bytes where the library
    /// keeps them so. It throws <see cref="InvalidDataException"/> where they are damaged. Null has images come as they are.
    /// </summary>
    public Func<Stream, Stream>? UnfoldZstd { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Never prints the token, as logs print records.</summary>
    public override string ToString() => nameof(LibraryClientOptions);
}
