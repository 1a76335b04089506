import type { Command } from 'commander';

const USUAL = '\nStatus 0: done. Status 1: it could not be done; stderr says why, with a code of docs/errors.md.';

/** Every command says in its help what its exit status means: in its own words, or in those that hold for most. */
export function sayExitCodes(command: Command): void {
  const isLeaf = command.commands.length === 0;
  if (isLeaf && !/\b[Ss]tatus \d/.test(`${command.description()}${helpAfter(command)}`))
    command.addHelpText('after', USUAL);
}

/** What a command's help says behind its options. */
export function helpAfter(command: Command): string {
  let text = '';
  const write = (more: string): void => void (text += more);
  // The event by which commander asks for what `addHelpText('after', ...)` was given.
  const emitter = command as unknown as { emit(event: string, context: object): boolean };
  emitter.emit('afterHelp', { error: false, command, write });
  return text;
}
