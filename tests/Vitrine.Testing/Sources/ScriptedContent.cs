using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Vitrine.Testing.Sources;

/// <summary>The bytes of a file that a scripted server gives, at any offset, without holding them.</summary>
public abstract class ScriptedContent
{
    private const int PieceLength = 1 << 20;

    public abstract long Length { get; }

    /// <param name="offset">May lie behind the end, for bodies that never end.</param>
    public abstract void Read(long offset, Span<byte> into);

    /// <summary>Pseudo-random bytes that are the same for the same seed at the same offset, always and everywhere.</summary>
    public static ScriptedContent Generated(long length, ulong seed = 1) => new GeneratedContent(length, seed);

    public static ScriptedContent Of(byte[] bytes) => new FixedContent(bytes);

    public byte[] ToArray()
    {
        var bytes = new byte[Length];
        Read(0, bytes);
        return bytes;
    }

    /// <summary>In lower-case hexadecimal.</summary>
    public string Sum(HashAlgorithmName algorithm)
    {
        using var sum = IncrementalHash.CreateHash(algorithm);
        var piece = new byte[PieceLength];
        for (var offset = 0L; offset < Length; offset += PieceLength)
        {
            var part = piece.AsSpan(0, (int)Math.Min(PieceLength, Length - offset));
            Read(offset, part);
            sum.AppendData(part);
        }

        return Convert.ToHexStringLower(sum.GetHashAndReset());
    }

    private sealed class FixedContent(byte[] bytes) : ScriptedContent
    {
        public override long Length => bytes.Length;

        public override void Read(long offset, Span<byte> into)
        {
            into.Clear();
            if (offset < bytes.Length)
                bytes.AsSpan((int)offset, (int)Math.Min(into.Length, bytes.Length - offset)).CopyTo(into);
        }
    }

    /// <summary>Word number n is SplitMix64 of the seed and n, so any place can be made without what lies before it.</summary>
    private sealed class GeneratedContent(long length, ulong seed) : ScriptedContent
    {
        private const int WordLength = sizeof(ulong);

        public override long Length => length;

        public override void Read(long offset, Span<byte> into)
        {
            Span<byte> word = stackalloc byte[WordLength];
            while (into.Length > 0)
            {
                var within = (int)(offset % WordLength);
                if (within == 0 && into.Length >= WordLength)
                {
                    BinaryPrimitives.WriteUInt64LittleEndian(into, Word(offset));
                    offset += WordLength;
                    into = into[WordLength..];
                    continue;
                }

                BinaryPrimitives.WriteUInt64LittleEndian(word, Word(offset));
                var part = word[within..Math.Min(WordLength, within + into.Length)];
                part.CopyTo(into);
                offset += part.Length;
                into = into[part.Length..];
            }
        }

        private ulong Word(long offset)
        {
            var z = (seed * 0x2545_F491_4F6C_DD1D) + ((ulong)(offset / WordLength) + 1) * 0x9E37_79B9_7F4A_7C15;
            z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
            z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
            return z ^ (z >> 31);
        }
    }
}
