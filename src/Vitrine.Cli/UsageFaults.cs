using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Vitrine.Cli;

/// <summary>What is wrong with a command line, in sentences: the option, what was given, and what is accepted.</summary>
internal static class UsageFaults
{
    public static IEnumerable<string> Of(ParseResult parsed) => parsed.Errors.Select(e => Describe(e, parsed)).Distinct(StringComparer.Ordinal);

    /// <summary>Lets an option take numbers from a least one on.</summary>
    public static void AcceptFrom(this Option option, int least) => option.Validators.Add(result =>
    {
        if (result.Tokens is [var token] && int.TryParse(token.Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) && number < least)
            result.AddError($"{Quoted(token.Value)} is not a whole number from {least} on.");
    });

    private static string Describe(ParseError error, ParseResult parsed) => error.SymbolResult switch
    {
        OptionResult option => DescribeValue(option.Option, $"{option.Option.Name}", Given(option), error.Message),
        ArgumentResult { Parent: OptionResult option } => DescribeValue(option.Option, option.Option.Name, Given(option), error.Message),
        ArgumentResult argument => DescribeValue(argument.Argument, argument.Argument.Name, Given(argument), error.Message),
        CommandResult command => DescribeCommand(command.Command, parsed, error.Message),
        _ => error.Message,
    };

    private static string[] Given(SymbolResult result) => [.. result.Tokens.Select(t => t.Value)];

    private static string DescribeValue(Symbol symbol, string name, string[] given, string ownWords)
    {
        var (type, accepted, isMany) = symbol switch
        {
            Option option => (option.ValueType, Words(option), option.Arity.MaximumNumberOfValues > 1),
            Argument argument => (argument.ValueType, Words(argument), argument.Arity.MaximumNumberOfValues > 1),
            _ => (typeof(string), "", true),
        };
        if (given.Length == 0)
            return symbol is Option ? $"{name} needs a value: {accepted}." : $"{name} is missing.";
        if (given.Length > 1 && !isMany)
            return $"{name} may be given once, and has {given.Length} values: {string.Join(", ", given.Select(Quoted))}.";

        return given.FirstOrDefault(g => !Fits(g, type)) is { } wrong || (wrong = Outside(symbol, given)) is not null
            ? $"{name}: {Quoted(wrong)} is not {accepted}."
            : $"{name}: {ownWords}";
    }

    private static string DescribeCommand(Command command, ParseResult parsed, string ownWords)
    {
        if (parsed.UnmatchedTokens is [var stray, ..])
            return FlagBefore(stray, command, parsed) is { } flag ? $"{flag.Name}: {Quoted(stray)} is not {Words(flag)}."
                : stray.StartsWith('-') ? $"There is no option {stray} here." : $"{Quoted(stray)} is one word too many, or no command.";
        if (command.Subcommands.Count > 0)
            return $"A command is missing: one of {string.Join(", ", command.Subcommands.Select(c => c.Name))}.";
        if (command.Arguments.FirstOrDefault(a => a.Arity.MinimumNumberOfValues > 0 && parsed.GetResult(a) is not { Tokens.Count: > 0 }) is { } missing)
            return $"{missing.Name} is missing.";
        if (command.Options.FirstOrDefault(o => o.Required && parsed.GetResult(o) is not { Implicit: false }) is { } needed)
            return $"{needed.Name} {needed.HelpName} is missing.";

        return ownWords;
    }

    // A word behind an option that is true or false is taken for an argument where it is neither.
    private static Option? FlagBefore(string stray, Command command, ParseResult parsed)
    {
        var before = parsed.Tokens.TakeWhile(t => t.Value != stray).LastOrDefault()?.Value;
        return command.Options.FirstOrDefault(o => o.Name == before && o.ValueType == typeof(bool?));
    }

    private static string? Outside(Symbol symbol, string[] given) => AllowedOf(symbol) is { Length: > 0 } allowed ? Array.Find(given, g => !allowed.Contains(g)) : null;

    private static bool Fits(string text, Type type) => Named(type) switch
    {
        var number when number == typeof(int) => int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out _),
        var flag when flag == typeof(bool) => bool.TryParse(text, out _),
        _ => true,
    };

    private static string Words(Symbol symbol)
    {
        var (type, help) = symbol switch
        {
            Option option => (option.ValueType, option.HelpName),
            Argument argument => (argument.ValueType, argument.Name),
            _ => (typeof(string), null),
        };
        return Named(type) switch
        {
            var number when number == typeof(int) => "a whole number",
            var flag when flag == typeof(bool) => "true or false",
            _ when AllowedOf(symbol) is { Length: > 0 } allowed => $"one of {string.Join(", ", allowed)}",
            _ => help ?? "a text",
        };
    }

    private static string[] AllowedOf(Symbol symbol) => [.. symbol.GetCompletions(CompletionContext.Empty).Select(c => c.Label)];

    private static Type Named(Type type) => Nullable.GetUnderlyingType(type) ?? type;

    private static string Quoted(string text) => $"'{text}'";
}
