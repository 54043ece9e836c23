using System.Runtime.CompilerServices;
using Vitrine.OpenStack.Images;

namespace Vitrine.UnitTests.OpenStack;

public sealed class GlanceErrorsTests
{
    public static TheoryData<Type> EveryFailure =>
        [.. typeof(LibraryException).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(LibraryException)) && !t.IsAbstract)];

    [Theory, MemberData(nameof(EveryFailure))]
    public void Every_failure_has_a_Glance_answer(Type failure)
    {
        var error = (LibraryException)RuntimeHelpers.GetUninitializedObject(failure);
        Assert.InRange(GlanceErrors.StatusOf(error), 200, 599);
    }
}
