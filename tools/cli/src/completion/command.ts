import { Argument, Command } from 'commander';
import { SHELLS } from './scripts.ts';

export function completionCommand(): Command {
  return new Command('completion')
    .summary('Tab for bash, zsh, fish')
    .description('print what makes a shell complete commands and options on Tab')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText(
      'after',
      `
bash:  vantage completion bash > ~/.local/share/bash-completion/completions/vantage
zsh:   vantage completion zsh > ~/.zfunc/_vantage      (with ~/.zfunc in fpath, before compinit)
fish:  vantage completion fish > ~/.config/fish/completions/vantage.fish`,
    )
    .action(async (shell: (typeof SHELLS)[number]) => {
      const { SCRIPTS } = await import('./scripts.ts');
      process.stdout.write(SCRIPTS[shell]);
    });
}

/** What the scripts ask; `program` is all of the command line. */
export function completeCommand(program: () => Command): Command {
  return new Command('__complete')
    .argument('[words...]')
    .option('--tree', 'all commands as JSON')
    .allowUnknownOption()
    .action(async (words: string[], { tree }: { readonly tree?: boolean }) => {
      if (tree) {
        const { commandTree } = await import('./command-tree.ts');
        return void process.stdout.write(`${JSON.stringify(commandTree(program()))}\n`);
      }
      const { candidates } = await import('./candidates.ts');
      const lines = candidates(program(), words).map(({ text, description }) => `${text}\t${description}\n`);
      process.stdout.write(lines.join(''));
    });
}
