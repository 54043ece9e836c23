using System.Security.Cryptography;
using Vitrine.Testing.Sources;

namespace Vitrine.UnitTests.Sources;

/// <summary>What the end-to-end tests compare against has to be right itself.</summary>
public sealed class ScriptedContentTests
{
    [Fact]
    public void Generated_content_is_the_same_from_wherever_it_is_read()
    {
        var content = ScriptedContent.Generated(1000, seed: 3);
        var whole = content.ToArray();

        for (var offset = 0; offset < 40; offset++)
        {
            var part = new byte[1000 - offset * 2];
            content.Read(offset, part);
            Assert.Equal(whole[offset..(offset + part.Length)], part);
        }
    }

    [Fact]
    public void Generated_content_differs_by_seed_and_by_place()
    {
        var whole = ScriptedContent.Generated(4096).ToArray();

        Assert.NotEqual(whole, ScriptedContent.Generated(4096, seed: 2).ToArray());
        Assert.Equal(512, whole.Chunk(8).Select(Convert.ToHexString).Distinct().Count());
    }

    [Fact]
    public void The_sum_of_content_is_the_sum_of_its_bytes()
    {
        var content = ScriptedContent.Generated((1 << 20) + 5);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(content.ToArray())), content.Sum(HashAlgorithmName.SHA256));
    }
}
