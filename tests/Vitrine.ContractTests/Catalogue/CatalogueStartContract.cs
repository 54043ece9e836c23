using System.Runtime.Versioning;
using System.Xml.Linq;
using Dapper;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Vitrine.Access;
using Vitrine.Catalogue;
using Vitrine.Catalogue.Database;
using Vitrine.Images;
using Vitrine.Nodes;
using Vitrine.Stores;

namespace Vitrine.ContractTests.Catalogue;

/// <summary>What a catalogue promises of its start, and of the small things that nodes keep in it.</summary>
public abstract class CatalogueStartContract(CatalogueFixture fixture)
{
    private static readonly DateTimeOffset Noon = Samples.Noon;

    [Fact]
    public async Task A_second_start_finds_what_the_first_has_kept()
    {
        var connectionString = await fixture.CreateAsync(Stop);
        var image = Samples.NewImage();
        await using (var first = await CatalogueFixture.StartAsync(connectionString, Stop))
            await first.GetRequiredService<ICatalogue>().SaveAsync(new() { Image = image }, Stop);

        await using var second = await CatalogueFixture.StartAsync(connectionString, Stop);
        SameImage.Check(image with { Version = 1 }, await second.GetRequiredService<IImageCatalogue>().FindAsync(image.Id, Stop));
    }

    [Fact]
    public async Task The_first_authority_that_a_node_makes_is_that_of_all()
    {
        await using var catalogue = await CatalogueFixture.StartAsync(await fixture.CreateAsync(Stop), Stop);
        var authorities = catalogue.GetRequiredService<IAuthorityCatalogue>();
        var made = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => authorities.FindOrKeepAsync(() => new StoredAuthority($"certificate {i}", $"key {i}"), Stop)));
        Assert.Single(made.Distinct());
        Assert.Equal(made[0], await authorities.FindOrKeepAsync(() => throw new InvalidOperationException("there is one"), Stop));
    }

    [Fact]
    public async Task Nodes_that_start_on_an_empty_database_at_once_do_not_get_in_each_others_way()
    {
        var connectionString = await fixture.CreateAsync(Stop);
        var nodes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ =>
            Task.Run(() => CatalogueFixture.StartAsync(connectionString, Stop), Stop)));
        foreach (var node in nodes)
        {
            Assert.Empty(await node.GetRequiredService<INodeCatalogue>().ListAsync(Stop));
            await node.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_database_of_a_newer_version_is_refused_and_left_alone()
    {
        await using var services = await CatalogueFixture.StartAsync(await fixture.CreateAsync(Stop), Stop);
        var database = services.GetRequiredService<CatalogueDatabase>();
        await database.WriteAsync(
            (connection, transaction) => connection.ExecuteAsync("insert into migrations (name) values ('9999-future')", transaction: transaction),
            Stop);

        var refused = await Assert.ThrowsAsync<CatalogueTooNewException>(() => services.GetRequiredService<Migrator>().MigrateAsync(Stop));
        Assert.Equal(["9999-future"], refused.Migrations);
    }

    [Fact]
    public async Task A_database_of_an_earlier_release_keeps_what_it_has_and_its_images_are_described()
    {
        await using var services = CatalogueFixture.Services(await fixture.CreateAsync(Stop));
        var (database, migrator) = (services.GetRequiredService<CatalogueDatabase>(), services.GetRequiredService<Migrator>());
        await migrator.MigrateAsync(number => number is <= 5 or 100, Stop);
        var (kept, deleted, digest) = (ImageId.New(), ImageId.New(), new string('a', 64));
        await database.WriteAsync(
            (connection, transaction) => connection.ExecuteAsync(
                $"""
                insert into zones (name, description) values ('here', '');
                insert into stores (name, zone, kind, description, is_default) values ('main', 'here', 'memory', '', true);
                insert into images (id, owner, domain, name, description, status, enabled, kind, virt_io, csm, bare_metal, min_disk, min_memory, visibility,
                    protected, hidden, size, content_digest, content_size, content_md5, content_sha512, content_format, created_at, updated_at, version)
                values
                    ('{kept}', 'p', 'default', 'old', '', 'active', true, 'system', false, false, false, 0, 0, 'private',
                    false, false, 7, '{digest}', 7, '{digest[..32]}', '{digest}{digest}', 'raw', 1, 1, 3),
                    ('{deleted}', 'p', 'default', 'gone', '', 'deleted', true, 'system', false, false, false, 0, 0, 'private',
                    false, false, null, null, null, null, null, null, 1, 1, 2);
                insert into replicas (image, store, state, digest, size, updated_at) values ('{kept}', 'main', 'ready', '{digest}', 7, 1);
                insert into nodes (name, instance, zone, roles, address, version, started_at, heartbeat)
                values ('old', 'run', 'here', '["api","transfer"]', 'http://127.0.0.1:1', '0.1.0', 1, 1);
                """,
                transaction: transaction),
            Stop);

        await migrator.MigrateAsync(Stop);
        var image = await services.GetRequiredService<IImageCatalogue>().FindAsync(kept, Stop);
        Assert.Equal(("old", ImageStatus.Active, digest), (image?.Name, image?.Status, image?.Content?.Digest.Hex));
        Assert.Equal([kept], await services.GetRequiredService<IDescriptionCatalogue>().ListUndescribedAsync("main", after: null, 10, Stop));
        var node = Assert.Single(await services.GetRequiredService<INodeCatalogue>().ListAsync(Stop));
        Assert.Equal((NodeMode.Open, NodeMode.Open), (node.Mode, node.Obeys));
    }

    [Fact]
    public async Task A_transaction_that_fails_leaves_nothing_behind()
    {
        var (name, failure) = ($"{Guid.NewGuid()}", new InvalidOperationException("in the middle"));
        var thrown = await Record.ExceptionAsync(() => fixture.Database.WriteAsync<int>(
            async (connection, transaction) =>
            {
                await connection.ExecuteAsync("insert into zones (name, description) values (@name, '')", new { name }, transaction);
                throw failure;
            },
            Stop));

        Assert.Same(failure, thrown);
        Assert.DoesNotContain(await fixture.Replicas.ListZonesAsync(Stop), zone => zone.Name == name);
    }

    [Fact]
    public async Task Transactions_that_lock_the_same_rows_in_opposite_order_both_get_through()
    {
        string[] names = [$"a{Guid.NewGuid()}", $"b{Guid.NewGuid()}"];
        foreach (var name in names)
            await fixture.Replicas.SaveStoreAsync(new(name, ""), new(name, name, "memory", "", false), Stop);

        for (var round = 0; round < 3; round++)
        {
            // Where both hold a row at once, the database ends one of them, which is then run again and finds no one to wait for.
            using var bothHoldOne = new Barrier(2);
            await Task.WhenAll(
                Task.Run(() => TouchAsync(names, bothHoldOne), Stop),
                Task.Run(() => TouchAsync([.. names.Reverse()], bothHoldOne), Stop));
        }

        var zones = (await fixture.Replicas.ListZonesAsync(Stop)).Where(zone => names.Contains(zone.Name));
        Assert.Equal(["xxxxxx", "xxxxxx"], zones.Select(zone => zone.Description));
    }

    [Fact]
    public async Task A_node_is_listed_as_it_last_reported_itself()
    {
        var node = new Node("a-node", "run-1", "zone-1", [NodeRole.Api, NodeRole.Transfer], "http://127.0.0.1:1", "0.1.0", Noon, Noon)
        {
            Stores = ["main", "it's"],
            Capacity = new NodeCapacity(64, 1L << 40),
            Obeys = NodeMode.Draining,
        };
        await fixture.Nodes.SaveAsync(node, Stop);
        await CheckAsync(node);

        await fixture.Nodes.SaveAsync(node with { Heartbeat = Noon.AddSeconds(5) }, Stop);
        await CheckAsync(node with { Heartbeat = Noon.AddSeconds(5) });

        var again = node with { Instance = "run-2", StartedAt = Noon.AddMinutes(1), Heartbeat = Noon.AddMinutes(1), Roles = [] };
        await fixture.Nodes.SaveAsync(again, Stop);
        await fixture.Nodes.SaveAsync(node with { Heartbeat = Noon.AddMinutes(2) }, Stop);
        await CheckAsync(again);

        // What operators decided stays, however often and however anew the node reports itself.
        Assert.True(await fixture.Nodes.SetModeAsync("a-node", NodeMode.Draining, Stop));
        Assert.False(await fixture.Nodes.SetModeAsync("no-node", NodeMode.Draining, Stop));
        again = again with { Instance = "run-3", StartedAt = Noon.AddMinutes(5), Heartbeat = Noon.AddMinutes(5) };
        await fixture.Nodes.SaveAsync(again, Stop);
        await CheckAsync(again with { Mode = NodeMode.Draining });

        async Task CheckAsync(Node expected)
        {
            var actual = Assert.Single(await fixture.Nodes.ListAsync(Stop), n => n.Name == "a-node");
            Assert.Equal(expected.Roles, actual.Roles);
            Assert.Equal(expected.Stores, actual.Stores);
            Assert.Equal(expected with { Roles = [], Stores = [] }, actual with { Roles = [], Stores = [] });
        }
    }

    [Fact]
    public async Task A_secret_that_one_node_protects_another_can_read()
    {
        var connectionString = await fixture.CreateAsync(Stop);
        await using var one = await StartProtectingAsync(connectionString);
        await using var other = await StartProtectingAsync(connectionString);

        var secret = one.GetRequiredService<IDataProtectionProvider>().CreateProtector("test").Protect("s3cret");
        Assert.Equal("s3cret", other.GetRequiredService<IDataProtectionProvider>().CreateProtector("test").Unprotect(secret));
    }

    [Fact]
    public void A_key_that_is_stored_again_takes_the_place_of_the_first()
    {
        var name = $"key-{Guid.NewGuid()}";
        fixture.Keys.StoreElement(new XElement("key", new XAttribute("id", name), 1), name);
        fixture.Keys.StoreElement(new XElement("key", new XAttribute("id", name), 2), name);
        Assert.Equal("2", Assert.Single(fixture.Keys.GetAllElements(), key => key.Attribute("id")?.Value == name).Value);
    }

    private Task TouchAsync(IReadOnlyList<string> names, Barrier bothHoldOne)
    {
        var first = true;
        return fixture.Database.WriteAsync(
            async (connection, transaction) =>
            {
                await TouchAsync(names[0]);
                if (first)
                    WaitForTheOther();
                await TouchAsync(names[1]);

                Task TouchAsync(string name) => connection.ExecuteAsync(
                    "update zones set description = description || 'x' where name = @name", new { name }, transaction);
            },
            Stop);

        // Where writers take turns the other cannot come, and there is nothing to wait for.
        void WaitForTheOther()
        {
            first = false;
            if (fixture.Database.Dialect is PostgresDialect)
                Assert.True(bothHoldOne.SignalAndWait(TimeSpan.FromSeconds(30), Stop), "The other transaction never got its first row.");
        }
    }

    private static async Task<ServiceProvider> StartProtectingAsync(string connectionString)
    {
        var services = new ServiceCollection().AddSingleton(TimeProvider.System).AddLogging()
            .AddCatalogue(new CatalogueOptions { ConnectionString = connectionString });
        services.AddDataProtection().SetApplicationName("vitrine");
        services.AddOptions<KeyManagementOptions>().Configure<CatalogueKeys>((options, keys) => options.XmlRepository = keys);
        var provider = services.BuildServiceProvider();
        await provider.GetRequiredService<Migrator>().MigrateAsync(Stop);
        return provider;
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}

public sealed class SqliteCatalogueStartTests(SqliteFixture fixture) : CatalogueStartContract(fixture), IClassFixture<SqliteFixture>
{
    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void Nobody_else_on_the_machine_can_read_the_files()
    {
        Assert.NotEmpty(fixture.Files);
        Assert.All(fixture.Files, file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
    }

    [Fact]
    public async Task A_file_that_another_process_does_not_let_go_of_is_a_catalogue_that_does_not_answer()
    {
        var stop = TestContext.Current.CancellationToken;
        var connectionString = await fixture.CreateAsync(stop);
        await using var services = await CatalogueFixture.StartAsync($"{connectionString};Default Timeout=1", stop);
        var (catalogue, image) = (services.GetRequiredService<ICatalogue>(), Samples.NewImage());
        await using (var other = new SqliteConnection($"{connectionString};Pooling=false"))
        {
            await other.OpenAsync(stop);
            await other.ExecuteAsync("begin immediate");
            await Assert.ThrowsAsync<CatalogueUnavailableException>(() => catalogue.SaveAsync(new() { Image = image }, stop));
        }

        await catalogue.SaveAsync(new() { Image = image }, stop);
        Assert.NotNull(await services.GetRequiredService<IImageCatalogue>().FindAsync(image.Id, stop));
    }
}

public sealed class PostgresCatalogueStartTests(PostgresFixture fixture) : CatalogueStartContract(fixture), IClassFixture<PostgresFixture>
{
    [Fact]
    public async Task Of_several_hosts_the_one_that_can_be_written_to_is_used()
    {
        var one = new NpgsqlConnectionStringBuilder(await fixture.CreateAsync(TestContext.Current.CancellationToken));
        var several = new NpgsqlConnectionStringBuilder(one.ToString()) { Host = $"127.0.0.1:1,{one.Host}:{one.Port}" };
        await using var services = await CatalogueFixture.StartAsync(several.ToString(), TestContext.Current.CancellationToken);

        var image = Samples.NewImage();
        await services.GetRequiredService<ICatalogue>().SaveAsync(new() { Image = image }, TestContext.Current.CancellationToken);
        Assert.NotNull(await services.GetRequiredService<IImageCatalogue>().FindAsync(image.Id, TestContext.Current.CancellationToken));
    }
}
