import type { Argument, Command, Option } from 'commander';
import { twinModules, twinPaths } from './twin-paths.ts';

export interface Candidate {
  readonly text: string;
  readonly description: string;
}

/**
 * What may stand at the end of a line that is being typed: subcommands, options, choices, modules and paths of twins. None
 * where only the person knows (a file, a name).
 *
 * @param words behind the program's name; the last one is not finished (or empty)
 */
export function candidates(program: Command, words: readonly string[]): Candidate[] {
  const typed = words.at(-1) ?? '';
  let command = program;
  let awaiting: Option | undefined;
  let given: string[] = [];
  for (const word of words.slice(0, -1)) {
    if (awaiting) {
      awaiting = undefined;
    } else if (word.startsWith('-')) {
      const option = command.options.find(({ long, short }) => word === long || word === short);
      // --option=value has its value already.
      awaiting = option && (option.required || option.optional) ? option : undefined;
    } else {
      const next = visible(command).find((one) => one.name() === word || one.aliases().includes(word));
      given = next ? [] : [...given, word];
      command = next ?? command;
    }
  }
  const all = awaiting
    ? choicesOf(awaiting)
    : typed.startsWith('-')
      ? optionsOf(command)
      : [...commandsOf(command), ...argumentsOf(command, given, typed)];
  return all.filter(({ text }) => text.startsWith(typed));
}

function visible(command: Command): readonly Command[] {
  return command.commands.filter((one) => !one.name().startsWith('_'));
}

function commandsOf(command: Command): Candidate[] {
  return visible(command).map((one) => ({ text: one.name(), description: one.description() }));
}

function optionsOf(command: Command): Candidate[] {
  return [...command.options.map(({ long, description }) => ({ text: long ?? '', description })), HELP];
}

function argumentsOf(command: Command, given: readonly string[], typed: string): Candidate[] {
  const known = command.registeredArguments;
  const last = known.at(-1);
  const argument = known[given.length] ?? (last?.variadic ? last : undefined);
  if (!argument) return [];
  if (argument.argChoices) return choicesOf(argument);
  if (command.parent?.name() !== 'twin') return [];
  if (argument.name() === 'module') return twinModules();
  const isAssignment = argument.name() === 'path=value';
  return isAssignment || argument.name() === 'path' ? twinPaths(given[0] ?? '', typed, isAssignment) : [];
}

function choicesOf({ argChoices }: Pick<Option | Argument, 'argChoices'>): Candidate[] {
  return (argChoices ?? []).map((text) => ({ text, description: '' }));
}

const HELP: Candidate = { text: '--help', description: 'how to use it' };
