using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Vitrine.Bench.Hostile;

/// <summary>A file of any length of which only what is put there takes room.</summary>
internal sealed class SparseFile(string path) : IDisposable
{
    private readonly SafeFileHandle _file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite);

    public void Put(long offset, ReadOnlySpan<byte> bytes) => RandomAccess.Write(_file, bytes, offset);

    public void PutBig(long offset, params ulong[] words)
    {
        var bytes = new byte[words.Length * sizeof(ulong)];
        for (var i = 0; i < words.Length; i++)
            BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(i * sizeof(ulong)), words[i]);
        Put(offset, bytes);
    }

    public void SetLength(long length) => RandomAccess.SetLength(_file, length);

    public void Dispose() => _file.Dispose();
}
