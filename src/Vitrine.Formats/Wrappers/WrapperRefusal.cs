using Vitrine.Content;

namespace Vitrine.Formats.Wrappers;

/// <summary>Why a wrapper is not unpacked.</summary>
internal static class WrapperRefusal
{
    public static UnsafeContentException Truncated(Wrapper wrapper) =>
        new("truncated", $"the {wrapper.Word()} file ends before what it holds does.");

    /// <param name="how">The rest of the sentence.</param>
    public static UnsafeContentException Damaged(Wrapper wrapper, string how = "is damaged") =>
        new("wrapper-damaged", $"the {wrapper.Word()} file {how}.");

    public static UnsafeContentException TooMuchMemory(Wrapper wrapper) => new(
        "wrapper-memory", $"to unpack the {wrapper.Word()} file needs more than {ContentWrappers.MemoryLimit >> 20} MiB of memory.");

    /// <param name="what">What is not known, in a noun.</param>
    public static UnsafeContentException Unsupported(Wrapper wrapper, string what) =>
        new("wrapper-unsupported", $"the {wrapper.Word()} file has {what}, which is not supported.");
}
