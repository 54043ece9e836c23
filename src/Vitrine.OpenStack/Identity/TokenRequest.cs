using Vitrine.Access;

namespace Vitrine.OpenStack.Identity;

/// <summary>What a client sends to log in: the body of <c>POST /v3/auth/tokens</c>, in all the forms that clients send.</summary>
internal abstract record TokenRequest
{
    private TokenRequest()
    {
    }

    /// <summary>Never prints what is inside, as logs print records.</summary>
    public sealed override string ToString() => GetType().Name;

    public sealed record ByPassword(UserReference User, string Password, ScopeRequest Scope) : TokenRequest;

    public sealed record ByToken(string Token, ScopeRequest Scope) : TokenRequest;

    public sealed record ByCredential(CredentialReference Credential, string Secret) : TokenRequest;

    /// <exception cref="InvalidFieldException">The body is not one of the forms.</exception>
    /// <exception cref="UnauthenticatedException">It asks for a way to log in that there is not.</exception>
    public static TokenRequest From(KeystoneObject body)
    {
        var auth = body.Object("auth");
        var identity = auth.Object("identity");
        var methods = identity.Texts("methods");
        if (methods.Count != 1)
            throw new InvalidFieldException("auth.identity.methods", "must name one method");

        var scope = ScopeOf(auth);
        return methods[0] switch
        {
            LoginMethods.Password => PasswordOf(identity.Object("password").Object("user"), scope),
            LoginMethods.Token => new ByToken(identity.Object("token").Text("id"), scope),
            // The credential knows its project; the reference refuses any scope beside it too.
            LoginMethods.ApplicationCredential when scope is ScopeRequest.Default => CredentialOf(identity.Object("application_credential")),
            _ => throw new UnauthenticatedException(),
        };
    }

    private static ByPassword PasswordOf(KeystoneObject user, ScopeRequest scope) => new(UserOf(user), user.Text("password"), scope);

    private static ByCredential CredentialOf(KeystoneObject credential)
    {
        var secret = credential.Text("secret");
        return credential.OptionalText("id") is { } id
            ? new ByCredential(new CredentialReference(id, Name: null, User: null), secret)
            : new ByCredential(new CredentialReference(Id: null, credential.Text("name"), UserOf(credential.Object("user"))), secret);
    }

    private static ScopeRequest ScopeOf(KeystoneObject auth)
    {
        if (auth.IsText("scope"))
        {
            return auth.Text("scope") == "unscoped"
                ? new ScopeRequest.Unscoped()
                : throw new InvalidFieldException("auth.scope", "must be an object or \"unscoped\"");
        }

        return auth.OptionalObject("scope") is { } scope ? ScopeIn(scope) : new ScopeRequest.Default();
    }

    private static ScopeRequest ScopeIn(KeystoneObject scope)
    {
        ScopeRequest[] asked =
        [
            .. from project in Maybe(scope.OptionalObject("project")) select new ScopeRequest.ToProject(ProjectOf(project)),
            .. from domain in Maybe(scope.OptionalObject("domain")) select new ScopeRequest.ToDomain(DomainOf(domain)),
            .. from system in Maybe(scope.OptionalObject("system")) where system.OptionalFlag("all") == true select new ScopeRequest.ToSystem(),
            .. from unscoped in Maybe(scope.OptionalObject("unscoped")) select new ScopeRequest.Unscoped(),
        ];
        return asked is [var one] ? one : throw new InvalidFieldException("auth.scope", "must name one of project, domain and system");
    }

    private static KeystoneObject[] Maybe(KeystoneObject? found) => found is { } value ? [value] : [];

    // A domain beside an id says nothing new, but the SDK sends it.

    private static UserReference UserOf(KeystoneObject user) => user.OptionalText("id") is { } id
        ? UserReference.ById(new UserId(id))
        : new UserReference(Id: null, user.Text("name"), DomainOf(user.Object("domain")));

    private static ProjectReference ProjectOf(KeystoneObject project) => project.OptionalText("id") is { } id
        ? new ProjectReference(id, Name: null, Domain: null)
        : new ProjectReference(Id: null, project.Text("name"), DomainOf(project.Object("domain")));

    private static DomainReference DomainOf(KeystoneObject domain) => domain.OptionalText("id") is { } id
        ? new DomainReference(id, Name: null)
        : new DomainReference(Id: null, domain.Text("name"));
}
