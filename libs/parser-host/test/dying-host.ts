/** Opens a parser and has it read one picture: `dying-host.ts python|js FILE`. It is killed while it waits. */
import { openParser } from '../src/index.ts';

const [kind, file] = process.argv.slice(2) as ['python' | 'js', string];
const parser = await openParser({ kind, file, role: 'secondary', networkSize: { width: 1, height: 1 } });
process.stdout.write(`${JSON.stringify((await parser.read([])).message)}\n`);
await parser.read([]);
