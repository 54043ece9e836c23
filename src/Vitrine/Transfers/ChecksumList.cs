using Vitrine.Content;

namespace Vitrine.Transfers;

/// <summary>The text of a publisher's file of checksums.</summary>
/// <remarks>
/// <code>
/// 9f86d0…  disk.qcow2          as sha256sum writes it
/// 9f86d0… *./disk.qcow2        with its mark for binary files
/// SHA256 (disk.qcow2) = 9f86d0…  with --tag, and by BSD
/// 9f86d0…                      alone, in a file for one
/// </code>
/// </remarks>
internal static class ChecksumList
{
    /// <param name="isOfOneFile">A sum without a name is taken for the file's.</param>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="ChecksumNotPublishedException">There are two that differ.</exception>
    public static Checksum? Find(string text, ChecksumAlgorithm algorithm, string file, bool isOfOneFile)
    {
        var sums = text.Split('\n')
            .Select(line => ReadLine(line.Trim(), algorithm))
            .Where(line => line.Hex is { } hex && hex.Length == algorithm.HexLength() && hex.All(char.IsAsciiHexDigit))
            .Where(line => line.Name == file || (isOfOneFile && line.Name is null))
            .Select(line => line.Hex!.ToLowerInvariant())
            .Distinct()
            .ToList();
        return sums.Count switch
        {
            0 => null,
            1 => new Checksum(algorithm, sums[0]),
            _ => throw new ChecksumNotPublishedException("The publisher states several checksums for the file."),
        };
    }

    private static (string? Hex, string? Name) ReadLine(string line, ChecksumAlgorithm algorithm)
    {
        if (line.StartsWith($"{algorithm.Name()} (", StringComparison.OrdinalIgnoreCase) && line.LastIndexOf(") = ", StringComparison.Ordinal) is > 0 and var end)
            return (line[(end + 4)..], Plain(line[(line.IndexOf('(') + 1)..end]));

        var space = line.IndexOf(' ');
        return space < 0 ? (line, null) : (line[..space], Plain(line[space..].TrimStart().TrimStart('*')));
    }

    private static string Plain(string name) => name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name;
}
