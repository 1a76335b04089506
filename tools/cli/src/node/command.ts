import { Command, InvalidArgumentError, Option } from 'commander';
import type { CreateOptions } from './create/create-node.ts';
import type { TestNodeOptions } from './conformance/test-node.ts';

export function nodeCommand(): Command {
  const node = new Command('node').description('custom nodes: make one, run it, try it, capture and replay its frames');
  node
    .command('new')
    .description('make the folder of a new node: node, test, Dockerfile, module.json; it runs at once')
    .argument('<name>', 'letters, digits and hyphens')
    .addOption(new Option('--language <language>', 'what it is written in').choices(['ts', 'python']).default('ts'))
    .option('--dir <folder>', 'where to (default: a folder of its name, here)')
    .option('--json', 'one JSON line: folder, files', false)
    .action(async (name: string, options: Omit<CreateOptions, 'name'> & { readonly json: boolean }) => {
      const { newNode } = await import('./create/new-node.ts');
      process.stdout.write(await newNode({ name, ...options }));
    });
  node
    .command('test')
    .description('check a running node, in any language, against the custom node protocol')
    .argument('<endpoint>', 'host:port, with an optional scheme and /route, or unix:/path')
    .option('--json', 'one JSON document', false)
    .option('--strict', 'status 1 also for what is only to look at', false)
    .option('--only <check>', 'one check by its id (--json shows them); again for more', collect, NONE)
    .option('--deadline <ms>', 'for each call', positive, 5000)
    .option('--token <token>', 'sent as authorization: Bearer <token>')
    .option('--ca <file>', 'TLS, with this certificate authority (PEM)')
    .option('--instance <id>', 'instance id of the handshake', 'vantage-node-test')
    .option('--skill <id>', 'skill id of the handshake', 'test')
    .option('--device <id>', 'device id of the handshake', 'camera')
    .addHelpText('after', '\nStatus 1 when a check failed. Every check says what was seen and what to do.')
    .action(async (endpoint: string, options: Omit<TestNodeOptions, 'endpoint'>) => {
      const { testNode } = await import('./conformance/test-node.ts');
      if (!(await testNode({ endpoint, ...options }))) process.exitCode = 1;
    });
  return node;
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('it is a number above 0');
  return value;
}

const NONE: readonly string[] = [];

function collect(one: string, all: readonly string[]): readonly string[] {
  return [...all, one];
}
