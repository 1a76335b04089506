import type { Command } from 'commander';
import { helpAfter } from '../exit-codes.ts';

/** A command as its help has it, for tests and tools that walk all of them. */
export interface CommandFacts {
  /** `twin set` */
  readonly name: string;
  readonly description: string;
  readonly options: readonly { readonly flags: string; readonly description: string }[];
  readonly after: string;
}

/** Every command that does something, in the order of the help. */
export function commandTree(program: Command, above = ''): CommandFacts[] {
  return program.commands
    .filter((command) => !command.name().startsWith('_'))
    .flatMap((command) => {
      const name = above === '' ? command.name() : `${above} ${command.name()}`;
      const below = commandTree(command, name);
      const options = command.options.map(({ flags, description }) => ({ flags, description }));
      const own = { name, description: command.description(), options, after: helpAfter(command) };
      return command.commands.length > 0 ? below : [own];
    });
}
