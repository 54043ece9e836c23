namespace Vitrine.Stores.Objects.S3;

/// <summary>A part of an object that is put in several: sent, or copied by the server from an object that it has.</summary>
/// <param name="Start">Where in the object it begins.</param>
/// <param name="CopyOf">The object that begins with its bytes; null where they are sent.</param>
internal readonly record struct S3Part(long Start, int Length, string? CopyOf = null)
{
    public long End => Start + Length;

    /// <summary>Divides an object of some length, all of which is sent.</summary>
    public static IEnumerable<S3Part> Divide(long length)
    {
        for (var start = 0L; start < length; start += S3Bucket.PartLength)
            yield return new S3Part(start, (int)Math.Min(S3Bucket.PartLength, length - start));
    }
}
