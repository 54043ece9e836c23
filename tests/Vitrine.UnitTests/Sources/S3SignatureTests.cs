using Vitrine.Sources;
using Vitrine.Sources.Buckets;

namespace Vitrine.UnitTests.Sources;

public sealed class S3SignatureTests
{
    [Fact]
    public void The_example_of_the_manual_is_signed_as_in_the_manual()
    {
        var credential = new S3Credential { AccessKey = "AKIAIOSFODNN7EXAMPLE", SecretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };

        var query = S3Signature.QueryFor(
            credential, "examplebucket.s3.amazonaws.com", "/test.txt", new DateTimeOffset(2013, 5, 24, 0, 0, 0, TimeSpan.Zero), TimeSpan.FromDays(1));
        Assert.Equal(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z"
            + "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
            query);
    }
}
