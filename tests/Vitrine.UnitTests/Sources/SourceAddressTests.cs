using FsCheck;
using FsCheck.Fluent;
using Vitrine.Sources.Outgoing;
using Vitrine.Transfers;

namespace Vitrine.UnitTests.Sources;

public sealed class SourceAddressTests
{
    [Theory]
    [InlineData("http://mirror.example/a.iso", "http://mirror.example/a.iso")]
    [InlineData("https://mirror.example:443/a.iso", "https://mirror.example/a.iso")]
    [InlineData("https://mirror.example:8443/a.iso", "https://mirror.example:8443/a.iso")]
    [InlineData("http://user:canary@mirror.example/a.iso", "http://mirror.example/a.iso")]
    [InlineData("http://canary@mirror.example:81/a.iso", "http://mirror.example:81/a.iso")]
    [InlineData("http://mirror.example/a.iso?token=canary&x=1", "http://mirror.example/a.iso?…")]
    [InlineData("http://mirror.example/a.iso?canary", "http://mirror.example/a.iso?…")]
    [InlineData("http://mirror.example/a.iso?", "http://mirror.example/a.iso")]
    [InlineData("http://mirror.example/a.iso#canary", "http://mirror.example/a.iso")]
    [InlineData("ftp://user:canary@mirror.example/a.iso", "ftp://mirror.example/a.iso")]
    [InlineData("sftp://user:canary@mirror.example/a.iso", "sftp://mirror.example/a.iso")]
    [InlineData("sftp://user:canary@mirror.example:2222/a.iso", "sftp://mirror.example:2222/a.iso")]
    [InlineData("http://user:canary@[2606:4700::1]:81/a", "http://[2606:4700::1]:81/a")]
    [InlineData("http://us%40er:can%2Fary@mirror.example/", "http://mirror.example/")]
    public void An_address_is_shown_without_its_secrets(string address, string shown) =>
        Assert.Equal(shown, SourceAddress.Redact(new Uri(address)));

    [Fact]
    public void No_login_and_no_query_is_ever_shown() => Prop.ForAll(
        Secrets.ToArbitrary(),
        secret =>
        {
            var shown = SourceAddress.Redact(new Uri($"http://u{secret}:p{secret}@mirror.example/file?q{secret}=v{secret}#f{secret}"));
            return shown == "http://mirror.example/file?…";
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_login_means_what_it_meant_before_it_was_written_into_an_address() => Prop.ForAll(
        ArbMap.Default.ArbFor<NonNull<string>>(), ArbMap.Default.ArbFor<NonNull<string>>(),
        (name, password) =>
        {
            // Halves of surrogate pairs have no spelling in an address.
            var (user, word) = (Whole(name.Get), Whole(password.Get));
            var address = new Uri($"http://{Uri.EscapeDataString(user)}:{Uri.EscapeDataString(word)}@mirror.example/");
            var login = BasicLogin.Of(address);
            return login is null
                ? user.Length + word.Length == 0
                : login.Parameter == Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{user}:{word}"));
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("canary")]
    [InlineData("/etc/canary")]
    [InlineData("mirror.example/canary")]
    [InlineData("http://")]
    [InlineData("http://user:canary@")]
    [InlineData("http://user:canary@:80/")]
    [InlineData("http://mirror.example:canary/")]
    public void What_is_no_address_is_refused_without_being_repeated(string text)
    {
        var refused = Assert.Throws<InvalidFieldException>(() => new SourceRegistry([]).Parse(text));

        Assert.Equal("url", refused.Field);
        Assert.DoesNotContain("canary", refused.ToString());
    }

    [Fact]
    public void An_address_longer_than_any_real_one_is_refused() => Assert.Throws<InvalidFieldException>(
        () => new SourceRegistry([]).Parse("http://mirror.example/" + new string('a', SourceAddress.MaxLength)));

    private static Gen<string> Secrets =>
        from letters in Gen.Elements("canary", "%40", "%3F", "%23", "=", "&", ";", "!", "$", "~", "é", ".", "-").NonEmptyListOf()
        select string.Concat(letters);

    private static string Whole(string text) => System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text));
}
