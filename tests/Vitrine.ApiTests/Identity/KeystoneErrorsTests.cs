using System.Runtime.CompilerServices;
using Vitrine.OpenStack.Identity;

namespace Vitrine.ApiTests.Identity;

public sealed class KeystoneErrorsTests
{
    // Those of identity, and those that any request can meet. The failures of images and the rest cannot come out of identity.
    private static readonly string[] Namespaces = ["Vitrine", "Vitrine.Access"];

    public static TheoryData<Type> EveryFailure =>
    [
        .. typeof(LibraryException).Assembly.GetTypes()
            .Where(t => t.IsSubclassOf(typeof(LibraryException)) && !t.IsAbstract && Namespaces.Contains(t.Namespace)),
    ];

    [Theory, MemberData(nameof(EveryFailure))]
    public void Every_failure_has_a_Keystone_answer(Type failure)
    {
        var error = (LibraryException)RuntimeHelpers.GetUninitializedObject(failure);
        Assert.InRange(KeystoneErrors.StatusOf(error), 400, 503);
    }
}
