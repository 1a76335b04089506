import { Help, type HelpConfiguration, type Option } from 'commander';

const USUAL = 'Options:';

/** How the help of every command looks. */
export const HELP: HelpConfiguration = {
  optionDescription: describeOption,
  // What is a command's own comes before what many share.
  groupItems(all, visible, groupOf) {
    const groups = new Help().groupItems(all, visible, groupOf);
    const own = groups.get(USUAL);
    return own === undefined ? groups : new Map([[USUAL, own], ...groups]);
  },
};

/** Without values that tell a person nothing: `false`, an empty list, what stands for no value. */
function describeOption(option: Option): string {
  return new Help()
    .optionDescription(option)
    .replace(/ \(preset: [^)]*\)$/, '')
    .replace(/ \(default: (?:false|\{\}|\[\])\)$/, '')
    .replace(/, default: \[\]\)$/, ')');
}
