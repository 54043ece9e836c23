using System.ComponentModel.DataAnnotations;

namespace Vitrine.Stores.FileSystem;

/// <summary>What an operator configures for a store of the kind <c>directory</c>.</summary>
public sealed class FileSystemStoreOptions
{
    /// <summary>
    /// The directory that holds the store. It must exist: a mount that is missing must not be taken for an empty store.
    /// </summary>
    [Required]
    public string Root { get; set; } = "";
}
