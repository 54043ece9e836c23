using Vitrine.Images;

namespace Vitrine.Content;

/// <summary>What is known of content once all of its bytes have been seen.</summary>
/// <param name="Digest">Its name in every store.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Md5">32 lower-case hexadecimal digits; Glance's face calls it <c>checksum</c>.</param>
/// <param name="Sha512">128 lower-case hexadecimal digits; Glance's face calls it <c>os_hash_value</c>.</param>
/// <param name="Format">What the bytes are, judged by looking at them.</param>
/// <param name="VirtualSize">The length of the guest's disk in bytes; null where the content is no disk.</param>
/// <param name="Source">The file that the content was made of; null where the content is the file as it came.</param>
public sealed record ContentFacts(
    Digest Digest, long Size, string Md5, string Sha512, DiskFormat Format, long? VirtualSize, SourceFile? Source = null)
{
    /// <summary>What wraps the disk within the content: <see cref="ContainerFormat.Ova"/>, or bare.</summary>
    public ContainerFormat Container { get; init; } = ContainerFormat.Bare;

    /// <summary>The length of the file that came, in bytes.</summary>
    public long SourceSize => Source?.Size ?? Size;
}

/// <summary>A file as it was published, which is kept no longer once it was unpacked, or the disk in it converted.</summary>
/// <param name="Digest">What a publisher's SHA-256 is to be compared with.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Wrapper">What it was packed in; null where it was not.</param>
/// <param name="Format">What the disk in it was, where the store keeps that in another format; null where it does not.</param>
public sealed record SourceFile(Digest Digest, long Size, Wrapper? Wrapper, DiskFormat? Format = null);
