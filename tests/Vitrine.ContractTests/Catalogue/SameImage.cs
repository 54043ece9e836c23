using System.Collections.Immutable;
using Vitrine.Images;

namespace Vitrine.ContractTests.Catalogue;

internal static class SameImage
{
    /// <summary>Asserts that two images are equal in every field; a record compares its collections by reference.</summary>
    public static void Check(Image expected, Image? actual)
    {
        Assert.NotNull(actual);
        Assert.Equal(expected.Tags, actual.Tags);
        Assert.Equal(expected.Properties, actual.Properties);
        Assert.Equal(WithoutCollections(expected), WithoutCollections(actual));
    }

    private static Image WithoutCollections(Image image) =>
        image with { Tags = [], Properties = ImmutableSortedDictionary<string, string>.Empty };
}
