using System.Security.Cryptography;
using System.Text;
using Vitrine.Content;

namespace Vitrine.Formats.Ova;

/// <summary>Holds the files of an OVA against its manifest (DMTF DSP0243, 5.1), while their bytes pass.</summary>
/// <remarks>
/// The manifest has a line for each file, and may come before the files that it names or behind them:
/// <code>
/// SHA256(disk.vmdk)= 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
/// SHA1 (machine.ovf) = a9993e364706816aba3e25717850c26c9cd0d89d
/// </code>
/// Where content is read here and there, and does not pass, nothing is compared.
/// </remarks>
internal sealed class OvaSums
{
    /// <summary>No manifest is longer, in bytes.</summary>
    public const int MostLength = PieceFeed.MaxPiece;

    // Equal sums do not prove more than that nothing was damaged by chance, and no more is asked of them.
    private static readonly HashAlgorithmName[] Algorithms = [HashAlgorithmName.SHA1, HashAlgorithmName.SHA256, HashAlgorithmName.SHA512];

    private readonly Dictionary<string, string> _found = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, (HashAlgorithmName Algorithm, string Sum)> _said = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<(HashAlgorithmName Algorithm, IncrementalHash Hash)> _running = [];
    private string _name = "";
    private long _left;
    private bool _hasManifest;

    /// <summary>The bytes that follow are a file's.</summary>
    public void Begin(string name, long length)
    {
        (_name, _left) = (name, length);
        foreach (var algorithm in Algorithms)
        {
            if (!_hasManifest || (_said.TryGetValue(name, out var said) && said.Algorithm == algorithm))
                _running.Add((algorithm, IncrementalHash.CreateHash(algorithm)));
        }

        if (_left == 0)
            End();
    }

    /// <summary>Bytes of the archive pass, none is left out.</summary>
    public void Observe(ReadOnlySpan<byte> bytes)
    {
        if (_running.Count == 0)
            return;

        var part = bytes[..(int)Math.Min(bytes.Length, _left)];
        foreach (var (_, hash) in _running)
            hash.AppendData(part);

        _left -= part.Length;
        if (_left == 0)
            End();
    }

    public void ReadManifest(ReadOnlySpan<byte> text)
    {
        if (_hasManifest)
            throw Bad("there are two");

        _hasManifest = true;
        foreach (var line in Encoding.UTF8.GetString(text).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            ReadLine(line);
    }

    /// <summary>Compares what was said and what was found of the files that passed.</summary>
    /// <exception cref="UnsafeContentException">A file is not what the manifest says.</exception>
    public void Compare()
    {
        foreach (var (name, (algorithm, sum)) in _said)
        {
            if (_found.TryGetValue(KeyOf(name, algorithm), out var found) && !found.Equals(sum, StringComparison.OrdinalIgnoreCase))
                throw new UnsafeContentException("ova-manifest-mismatch", $"the OVA's manifest gives another {algorithm.Name} of the file {name} than it has.");
        }
    }

    private void ReadLine(string line)
    {
        var (open, close) = (line.IndexOf('(', StringComparison.Ordinal), line.LastIndexOf(')'));
        var equals = close < 0 ? -1 : line.IndexOf('=', close);
        if (open < 0 || close < open || equals < 0 || line[(close + 1)..equals].Trim().Length > 0)
            throw Bad("it has a line that is no sum of a file");

        var (algorithm, name) = (new HashAlgorithmName(line[..open].Trim().ToUpperInvariant()), line[(open + 1)..close]);
        if (!OvaMember.IsPlainName(name))
            throw OvaMember.BadName();
        if (!Algorithms.Contains(algorithm))
            throw Bad("it has a kind of sum that is not known here");
        if (!_said.TryAdd(name, (algorithm, line[(equals + 1)..].Trim())))
            throw Bad("it names a file twice");
    }

    private void End()
    {
        foreach (var (algorithm, hash) in _running)
        {
            _found[KeyOf(_name, algorithm)] = Convert.ToHexString(hash.GetHashAndReset());
            hash.Dispose();
        }

        _running.Clear();
    }

    private static string KeyOf(string name, HashAlgorithmName algorithm) => $"{algorithm.Name}:{name}";

    private static UnsafeContentException Bad(string what) => new("ova-bad-manifest", $"the OVA's manifest cannot be right: {what}.");
}
