using Vitrine.Cli;

return await VitrineCli.RunAsync(args, CliTerminal.OfProcess(), CancellationToken.None);
