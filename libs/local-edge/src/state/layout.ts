/** What lies in a state folder. Whoever keeps something new there adds it, or `vantage reset` takes the folder for a project. */
const ENTRIES = [
  /^edge\.db(-wal|-shm|-journal)?$/,
  /^(certs|run|logs|volumes|container-volumes|files|twins|storage)$/,
  /^lock(\.\d+)?$/,
  /^(identities|sessions|processes)\.json$/,
  /^messages\.journal$/,
  /^upstream\.jsonl(\.1)?$/,
];

/** Whether a name in a state folder is one of the runtime's own, or one that it set aside or was about to put there. */
export function isStateEntry(name: string): boolean {
  const base = name.replace(/(\.corrupt|\.part|\.tmp|\.new)+$/, '');
  return ENTRIES.some((pattern) => pattern.test(base));
}
