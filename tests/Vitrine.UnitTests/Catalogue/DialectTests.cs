using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Vitrine.Catalogue;
using Vitrine.Catalogue.Database;

namespace Vitrine.UnitTests.Catalogue;

public sealed class DialectTests
{
    [Theory]
    [InlineData("Data Source=/tmp/any.db", typeof(SqliteDialect))]
    [InlineData("data source=/tmp/any.db;Pooling=true", typeof(SqliteDialect))]
    [InlineData("Filename=/tmp/any.db", typeof(SqliteDialect))]
    [InlineData("Host=db;Database=vitrine;Username=vitrine", typeof(PostgresDialect))]
    [InlineData("Server=db1,db2;Database=vitrine", typeof(PostgresDialect))]
    [InlineData("HOST=db;Port=5433;Username=vitrine;Password='a;b'", typeof(PostgresDialect))]
    public async Task The_connection_string_says_which_database_it_is_for(string connectionString, Type expected)
    {
        await using var dialect = Dialect.For(connectionString);
        Assert.IsType(expected, dialect);
    }

    [Theory]
    [InlineData("", "names no database")]
    [InlineData("   ", "names no database")]
    [InlineData("Provider=other", "names no database")]
    [InlineData("what?", "Format of the initialization string")]
    [InlineData("Data Source=:memory:", "in memory")]
    [InlineData("Data Source=", "names no database")]
    [InlineData("Data Source=any;Mode=Memory", "in memory")]
    [InlineData("Data Source=/there/is/no/such/directory/a.db", "/there/is/no/such/directory does not exist")]
    [InlineData("Data Source=/tmp/any.db;Sponge=1", "Sponge")]
    [InlineData("Host=db", "Database and Username")]
    [InlineData("Host=db;Database=vitrine;Sponge=1", "Sponge")]
    [InlineData("Host=db;Database=vitrine;Port=many", "Port")]
    public void A_connection_string_that_cannot_be_used_is_refused_at_the_start_with_the_reason(string connectionString, string reason)
    {
        var refused = Assert.Throws<OptionsValidationException>(
            () => new ServiceCollection().AddCatalogue(new CatalogueOptions { ConnectionString = connectionString }));
        Assert.Contains(reason, refused.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("ConnectionString", refused.Message, StringComparison.Ordinal);
    }
}
