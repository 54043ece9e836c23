using System.Security.Cryptography;
using Vitrine.Stores;
using Vitrine.Stores.Chunked;

namespace Vitrine.UnitTests.Stores;

public sealed class BlockIndexTests
{
    private const int BlocksOfAPack = 2000;

    private readonly List<PackedBlock[]> _packs = [];
    private readonly HashSet<int> _damaged = [];
    private int _loaded;

    [Fact]
    public void What_fits_is_found_without_a_look_at_any_pack()
    {
        var index = NewIndex(budget: 1 << 24, packs: 20);

        Assert.Equal(1, index.Sampling);
        foreach (var (pack, blocks) in _packs.Index())
            Assert.All(blocks, (b, i) => Assert.Equal(new BlockPlace(pack, (uint)i * 4096), index.Find(b.Name)));
        Assert.Null(index.Find(NewName()));
        Assert.Equal(0, _loaded);
    }

    [Fact]
    public async Task Beyond_the_budget_what_lies_beside_each_other_is_found_when_it_is_met()
    {
        const int Met = 64;
        var index = NewIndex(budget: 1 << 20, packs: 80);

        Assert.InRange(index.Sampling, 4, 16);
        Assert.InRange(_packs[7].Count(b => index.Find(b.Name) is not null), 1, BlocksOfAPack / 2);
        for (var at = 0; at + Met <= BlocksOfAPack; at += Met)
            await index.MeetAsync([.. _packs[7].Skip(at).Take(Met).Select(b => b.Name)]);

        Assert.All(_packs[7], (b, i) => Assert.Equal(new BlockPlace(7, (uint)i * 4096), index.Find(b.Name)));
        Assert.Equal(1, _loaded);
    }

    [Fact]
    public async Task What_is_gone_is_found_no_more_whatever_was_met()
    {
        var index = NewIndex(budget: 1 << 20, packs: 80);
        var names = _packs[7].Select(b => b.Name).ToArray();
        await index.MeetAsync(names);
        index.Remove(new HashSet<int> { 7 });

        await index.MeetAsync(names);
        Assert.All(names, n => Assert.Null(index.Find(n)));
    }

    [Fact]
    public async Task A_pack_that_cannot_be_read_is_passed_over()
    {
        var index = NewIndex(budget: 1 << 20, packs: 80);
        _damaged.Add(7);
        await index.MeetAsync([.. _packs[7].Concat(_packs[8]).Select(b => b.Name)]);

        Assert.Contains(_packs[7], b => index.Find(b.Name) is null);
        Assert.All(_packs[8], b => Assert.NotNull(index.Find(b.Name)));
    }

    [Fact]
    public async Task Of_packs_that_were_met_only_the_last_are_held()
    {
        var index = NewIndex(budget: 1 << 20, packs: 80);
        foreach (var blocks in _packs)
            await index.MeetAsync([.. blocks.Select(b => b.Name)]);

        Assert.Equal(80, _loaded);
        Assert.All(_packs[79], b => Assert.NotNull(index.Find(b.Name)));
        Assert.Contains(_packs[0], b => index.Find(b.Name) is null);
    }

    [Fact]
    public void What_is_expected_is_sampled_from_the_first_block_on_and_no_more_than_it_would_be()
    {
        var unexpected = NewIndex(budget: 1 << 20, packs: 80);
        var index = new BlockIndex(1 << 20, pack => Task.FromResult(_packs[pack]));
        index.Expect(80 * BlocksOfAPack);
        Assert.InRange(index.Sampling, 2, unexpected.Sampling);
        foreach (var (pack, blocks) in _packs.Index())
            index.Add(pack, blocks);

        Assert.Equal(unexpected.Sampling, index.Sampling);
        Assert.All(_packs.SelectMany(p => p), b => Assert.Equal(unexpected.Find(b.Name), index.Find(b.Name)));

        var ample = new BlockIndex(1 << 24, pack => Task.FromResult(_packs[pack]));
        ample.Expect(80 * BlocksOfAPack);
        Assert.Equal(1, ample.Sampling);
    }

    private BlockIndex NewIndex(long budget, int packs)
    {
        var index = new BlockIndex(budget, pack =>
        {
            _loaded++;
            return _damaged.Contains(pack) ? throw new StoreDamagedException("main", $"pack {pack}") : Task.FromResult(_packs[pack]);
        });
        for (var i = 0; i < packs; i++)
        {
            _packs.Add([.. Enumerable.Range(0, BlocksOfAPack).Select(_ => new PackedBlock(NewName(), 4096))]);
            index.Add(i, _packs[i]);
        }

        return index;
    }

    private static BlockName NewName() => BlockName.Read(RandomNumberGenerator.GetBytes(BlockName.Length));
}
