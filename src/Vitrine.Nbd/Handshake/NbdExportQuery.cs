using System.Diagnostics.CodeAnalysis;
using Vitrine.Nbd.Wire;

namespace Vitrine.Nbd.Handshake;

/// <summary>The data of NBD_OPT_INFO and NBD_OPT_GO: of which export, and what a client would like to be told of it.</summary>
/// <remarks>
/// <code>
///  0             4      4+n                  6+n
///  +-------------+------+--------------------+
///  | name length | name | number of requests |  then each request, of 16 bits
///  +-------------+------+--------------------+
/// </code>
/// </remarks>
internal sealed record NbdExportQuery(string Name, IReadOnlySet<NbdInfo> Wanted)
{
    public static bool TryRead(ReadOnlySpan<byte> data, [NotNullWhen(true)] out NbdExportQuery? query)
    {
        query = null;
        var reader = new BigEndianReader(data);
        if (!NbdText.TryReadCounted(ref reader, out var name) || reader.Remaining < sizeof(ushort))
            return false;

        var count = reader.ReadUInt16();
        if (reader.Remaining != count * sizeof(ushort))
            return false;

        var wanted = new HashSet<NbdInfo>();
        for (var i = 0; i < count; i++)
            wanted.Add((NbdInfo)reader.ReadUInt16());
        query = new NbdExportQuery(name, wanted);
        return true;
    }
}
