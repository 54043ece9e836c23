using System.Data.Common;
using System.Net.Sockets;

namespace Vitrine.UnitTests;

public sealed class CatalogueUnavailableTests
{
    [Theory]
    [InlineData("08006", "the connection failed")]
    [InlineData("53300", "too many connections")]
    [InlineData("57P01", "an administrator stopped the server")]
    [InlineData("57P03", "it starts up")]
    [InlineData("25006", "it is no primary any more")]
    public void A_database_that_is_away_is_no_fault_of_ours(string state, string _) =>
        Assert.Equal("catalogue-unavailable", CatalogueUnavailableException.From(new Refusal(state))?.Code);

    [Theory]
    [InlineData("42601", "a syntax error")]
    [InlineData("23505", "what is unique is there already")]
    [InlineData("57014", "a statement was cancelled")]
    public void What_a_database_has_against_a_statement_is_ours(string state, string _) =>
        Assert.Null(CatalogueUnavailableException.From(new Refusal(state)));

    [Fact]
    public void A_connection_that_breaks_has_no_state_but_a_cause()
    {
        Assert.NotNull(CatalogueUnavailableException.From(new Refusal(state: null, new SocketException())));
        Assert.Null(CatalogueUnavailableException.From(new Refusal(state: null)));
        Assert.NotNull(CatalogueUnavailableException.From(new Refusal(state: null, isTransient: true)));
    }

    [Fact]
    public void What_comes_of_no_database_is_something_else() => Assert.Null(CatalogueUnavailableException.From(new IOException()));

    private sealed class Refusal(string? state, Exception? inner = null, bool isTransient = false) : DbException("no", inner)
    {
        public override string? SqlState => state;

        public override bool IsTransient => isTransient;
    }
}
