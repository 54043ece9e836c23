using System.Runtime.InteropServices;
using SQLitePCL;

namespace Vitrine.Catalogue.Database;

/// <summary>Makes SQLite of the operating system, which gets its security fixes, the one that is used.</summary>
internal static class SqliteNative
{
    private const string SystemLibrary = "libsqlite3.so.0";

    private static readonly Lazy<bool> Loaded = new(Load);

    /// <exception cref="DllNotFoundException">The operating system has no SQLite.</exception>
    public static void Use() => _ = Loaded.Value;

    private static bool Load()
    {
        NativeLibrary.SetDllImportResolver(
            typeof(SQLite3Provider_e_sqlite3).Assembly,
            (name, _, _) => name == "e_sqlite3" ? NativeLibrary.Load(SystemLibrary) : IntPtr.Zero);
        raw.SetProvider(new SQLite3Provider_e_sqlite3());
        return true;
    }
}
