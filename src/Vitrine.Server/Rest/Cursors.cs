using System.Security.Cryptography;
using Vitrine.Access;

namespace Vitrine.Server.Rest;

/// <summary>The marks by which a client asks for the next page.</summary>
/// <remarks>
/// They are sealed: where an image stands in an order tells something of it, so nobody may ask from where an image stands
/// that was not shown to them.
/// </remarks>
internal sealed class Cursors(ISecretProtector protector)
{
    private const string Field = "cursor";

    /// <param name="listing">The path of the listing; its cursors hold nowhere else.</param>
    public string Make(string listing, Guid last) => protector.Protect($"{listing} {last:D}");

    /// <exception cref="InvalidFieldException">It is no cursor of this listing.</exception>
    public Guid Read(string listing, string cursor)
    {
        try
        {
            var text = protector.Unprotect(cursor);
            if (text.StartsWith(listing + " ", StringComparison.Ordinal) && Guid.TryParseExact(text[(listing.Length + 1)..], "D", out var last))
                return last;
        }
        catch (Exception error) when (error is CryptographicException or FormatException)
        {
            // Whatever is wrong with it, it is not one of ours.
        }

        throw new InvalidFieldException(Field, "is not a cursor of this listing; use what the page before gave as next");
    }
}
