using System.Runtime.CompilerServices;
using Vitrine.Server.Rest;
using Vitrine.Transfers;

namespace Vitrine.ApiTests.Rest;

public sealed class RestErrorsTests
{
    public static TheoryData<Type> EveryFailure =>
    [
        .. new[] { typeof(LibraryException).Assembly, typeof(RestErrors).Assembly }
            .SelectMany(a => a.GetTypes()).Where(t => t.IsSubclassOf(typeof(LibraryException)) && !t.IsAbstract),
    ];

    [Theory, MemberData(nameof(EveryFailure))]
    public void Every_failure_has_an_answer(Type failure)
    {
        var error = (LibraryException)RuntimeHelpers.GetUninitializedObject(failure);
        Assert.InRange(RestErrors.StatusOf(error), 400, 599);
    }

    [Theory, MemberData(nameof(EveryFault))]
    public void Every_fault_of_a_source_has_an_answer(SourceFault fault) =>
        Assert.InRange(RestErrors.StatusOf(new SourceException(fault, "It is broken.", mayPass: false)), 400, 504);

    public static TheoryData<SourceFault> EveryFault => [.. Enum.GetValues<SourceFault>()];
}
