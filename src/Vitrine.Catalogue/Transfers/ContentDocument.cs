using System.Text.Json;
using Vitrine.Content;
using Vitrine.Images;

namespace Vitrine.Catalogue.Transfers;

/// <summary>The facts of content as a transfer's row keeps them, between its last check and its last commit.</summary>
internal sealed record ContentDocument(
    string Digest, long Size, string Md5, string Sha512, string Format, long? VirtualSize, SourceFileDocument? Source = null,
    string Container = "bare")
{
    public static string? Write(ContentFacts? facts) => facts is null
        ? null
        : JsonSerializer.Serialize(new ContentDocument(
            facts.Digest.Hex, facts.Size, facts.Md5, facts.Sha512, facts.Format.Word(), facts.VirtualSize,
            facts.Source is { } source ? new SourceFileDocument(source.Digest.Hex, source.Size, source.Wrapper?.Word(), source.Format?.Word()) : null,
            facts.Container.Word()));

    public static ContentFacts? Read(string? text) =>
        text is not null && JsonSerializer.Deserialize<ContentDocument>(text) is { } document
            ? new ContentFacts(
                Content.Digest.Parse(document.Digest), document.Size, document.Md5, document.Sha512,
                EnumWords.Parse<DiskFormat>(document.Format, "format"), document.VirtualSize, document.Source?.ToSourceFile())
            {
                Container = EnumWords.Parse<ContainerFormat>(document.Container, "container"),
            }
            : null;
}

internal sealed record SourceFileDocument(string Digest, long Size, string? Wrapper, string? Format = null)
{
    public SourceFile ToSourceFile() => new(
        Content.Digest.Parse(Digest), Size, Wrapper is null ? null : EnumWords.Parse<Wrapper>(Wrapper, "wrapper"),
        Format is null ? null : EnumWords.Parse<DiskFormat>(Format, "format"));
}
