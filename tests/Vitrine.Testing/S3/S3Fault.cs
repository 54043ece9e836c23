namespace Vitrine.Testing.S3;

/// <summary>What a scripted server does in place of what it was asked for, a number of times.</summary>
public sealed class S3Fault
{
    private int _left = 1;

    internal (int Status, string Code)? Refusal { get; private set; }

    internal byte[]? RawBody { get; private set; }

    internal int? Cut { get; private set; }

    internal bool LosesAnswer { get; private set; }

    internal bool StandsStill { get; private set; }

    internal bool IgnoresRange { get; private set; }

    internal Action? First { get; private set; }

    public S3Fault Answer(int status, string code) => With(() => Refusal = (status, code));

    /// <summary>Says that all went well, with this for a body.</summary>
    public S3Fault Say(byte[] body) => With(() => RawBody = body);

    /// <summary>Breaks off after so many bytes of the body, which is the server's for a read and the client's for a write.</summary>
    public S3Fault CutBodyAfter(int length) => With(() => Cut = length);

    /// <summary>Does what it was asked for, and breaks off before it says so.</summary>
    public S3Fault LoseAnswer() => With(() => LosesAnswer = true);

    /// <summary>Does not answer until the client goes away.</summary>
    public S3Fault StandStill() => With(() => StandsStill = true);

    /// <summary>Gives the whole object whatever part of it was asked for.</summary>
    public S3Fault IgnoreRange() => With(() => IgnoresRange = true);

    /// <summary>What happens before it does anything.</summary>
    public S3Fault After(Action action) => With(() => First = action);

    public S3Fault Times(int times) => With(() => _left = times);

    internal bool TryTake() => Interlocked.Decrement(ref _left) >= 0;

    private S3Fault With(Action change)
    {
        change();
        return this;
    }
}
