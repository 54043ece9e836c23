namespace Vitrine.Testing;

/// <summary>A real Keystone for the tests of one run, as a fixture of their assembly. It starts when the first test asks for it.</summary>
public sealed class KeystoneServer : IAsyncDisposable
{
    private readonly Lazy<Task<Dictionary<string, string>>> _started = new(() => ServerScript.StartAsync("keystone-up"));

    /// <returns>Its address with the version, and the password of the users admin, member and reader.</returns>
    public async Task<(string Url, string Password)> StartAsync()
    {
        var said = await _started.Value;
        return (said["KEYSTONE_URL"], said["KEYSTONE_PASSWORD"]);
    }

    public async ValueTask DisposeAsync()
    {
        if (_started.IsValueCreated)
            await ServerScript.RunAsync("keystone-down", (await _started.Value)["KEYSTONE_DIR"]);
    }
}
