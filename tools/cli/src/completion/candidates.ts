import type { Command, Option } from 'commander';

export interface Candidate {
  readonly text: string;
  readonly description: string;
}

/**
 * What may stand at the end of a line that is being typed: subcommands, options, choices of an option. None where only
 * the person knows (a file, a name).
 *
 * @param words behind the program's name; the last one is not finished (or empty)
 */
export function candidates(program: Command, words: readonly string[]): Candidate[] {
  const typed = words.at(-1) ?? '';
  let command = program;
  let awaiting: Option | undefined;
  for (const word of words.slice(0, -1)) {
    if (awaiting) {
      awaiting = undefined;
    } else if (word.startsWith('-')) {
      const option = command.options.find(({ long, short }) => word === long || word === short);
      // --option=value has its value already.
      awaiting = option && (option.required || option.optional) ? option : undefined;
    } else {
      command = visible(command).find((one) => one.name() === word || one.aliases().includes(word)) ?? command;
    }
  }
  const all = awaiting ? valuesOf(awaiting) : typed.startsWith('-') ? optionsOf(command) : commandsOf(command);
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

function valuesOf({ argChoices }: Option): Candidate[] {
  return (argChoices ?? []).map((text) => ({ text, description: '' }));
}

const HELP: Candidate = { text: '--help', description: 'how to use it' };
