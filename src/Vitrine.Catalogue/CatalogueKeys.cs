using System.Xml.Linq;
using Dapper;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Vitrine.Catalogue.Database;

namespace Vitrine.Catalogue;

/// <summary>Keeps the Data Protection keys in the catalogue, so that all nodes share them and a backup has them.</summary>
public sealed class CatalogueKeys : IXmlRepository
{
    private readonly CatalogueDatabase _database;

    internal CatalogueKeys(CatalogueDatabase database) => _database = database;

    public IReadOnlyCollection<XElement> GetAllElements() => Wait(ReadAsync);

    /// <param name="friendlyName">Is unique; an element stored again under its name takes the earlier one's place.</param>
    public void StoreElement(XElement element, string friendlyName) => Wait(async () =>
    {
        await _database.WriteAsync(
            (connection, transaction) => connection.ExecuteAsync(
                """
                insert into data_protection_keys (name, xml) values (@friendlyName, @xml)
                on conflict (name) do update set xml = excluded.xml
                """,
                new { friendlyName, xml = element.ToString(SaveOptions.DisableFormatting) },
                transaction),
            CancellationToken.None);
        return true;
    });

    private async Task<IReadOnlyCollection<XElement>> ReadAsync()
    {
        await using var connection = await _database.OpenAsync(CancellationToken.None);
        return [.. (await connection.QueryAsync<string>("select xml from data_protection_keys order by name")).Select(XElement.Parse)];
    }

    // The framework's interface waits for its answer. It asks at the start and once a day, on a thread that may wait.
    private static T Wait<T>(Func<Task<T>> work) => Task.Run(work).GetAwaiter().GetResult();
}
