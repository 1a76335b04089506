import { Command, Option } from 'commander';
import { collect, number, port, seconds, wholeNumber } from '../option-values.ts';
import type { CreateOptions } from './create/create-node.ts';
import type { RecordOptions } from './recording/record.ts';
import type { ReplayOptions } from './recording/replay.ts';
import type { RunNodeOptions } from './run/run-node.ts';
import type { TestNodeOptions } from './conformance/test-node.ts';

export function nodeCommand(): Command {
  const node = new Command('node')
    .summary('custom nodes: make, run, test, record')
    .description('custom nodes: make one, run it, try it, capture and replay its frames');
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
    .command('run')
    .description('serve a node as custom-node-host does, and load it again when a file changes; until Ctrl-C')
    .argument('<what>', 'folder, file or zip of a node, or the name of a built-in one, such as flip')
    .option('--port <port>', '0 takes a free one', port, 6677)
    .option('--host <address>', 'address to listen on; 0.0.0.0 for other machines', '127.0.0.1')
    .option('--settings <json>', 'settings for the constructor: JSON, or @file')
    .option('--deadline <ms>', 'a call that takes longer fails (default: 5000)', wholeNumber(1))
    .option('--memory <MiB>', 'private memory that the process may use (default: 1024)', wholeNumber(1))
    .option('--in-flight <n>', 'frames at a time (default: 4)', wholeNumber(1))
    .option('--token <token>', 'clients must send it as authorization: Bearer <token>')
    .option('--cert <file>', 'TLS: certificate chain (PEM)')
    .option('--key <file>', 'TLS: private key (PEM)')
    .option('--seconds <s>', 'end after so long', seconds)
    .option('--json', 'each change as one JSON line', false)
    .option('--verbose', 'also say how it is started and stopped', false)
    .action(async (subject: string, options: Omit<RunNodeOptions, 'subject'>) => {
      const { runNode } = await import('./run/run-node.ts');
      await runNode({ subject, ...options });
    });
  node
    .command('test')
    .description('check a running node, in any language, against the custom node protocol')
    .argument('<endpoint>', 'host:port, with an optional scheme and /route, or unix:/path')
    .option('--json', 'one JSON document', false)
    .option('--strict', 'status 1 also for what is only to look at', false)
    .option('--only <check>', 'one check by its id (--json shows them); again for more', collect, NONE)
    .option('--deadline <ms>', 'for each call', wholeNumber(1), 5000)
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
  node
    .command('record')
    .description('capture the frames of a pipeline and the answers of a node into a file')
    .argument('[endpoint]', 'the node; without one every frame passes untouched')
    .requiredOption('--out <file>', 'the recording; it must not exist yet')
    .option('--listen <port>', 'be the node for a pipeline, on this port (0: a free one), and pass calls on', port)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--input <path>', 'send an image, a video or a folder of images instead')
    .addOption(new Option('--image <type>', 'what to ask for without an endpoint').choices(IMAGES).default('numpy'))
    .option('--frames <n>', 'end after so many', wholeNumber(1), 1000)
    .option('--max-mib <n>', 'end when the file would grow beyond', wholeNumber(1), 1024)
    .option('--seconds <s>', 'end after so long', seconds)
    .option('--deadline <ms>', 'for each call', wholeNumber(1), 5000)
    .option('--token <token>', 'sent as authorization: Bearer <token>')
    .option('--ca <file>', 'TLS, with this certificate authority (PEM)')
    .option('--json', 'one JSON line: file, frames, bytes', false)
    .action(async (endpoint: string | undefined, options: Omit<RecordOptions, 'endpoint'>) => {
      const { runRecord } = await import('./recording/print.ts');
      await runRecord({ ...(endpoint === undefined ? {} : { endpoint }), ...options });
    });
  node
    .command('replay')
    .description('send the frames of a recording to a node and compare its answers with the recorded ones')
    .argument('<file>', 'what "vantage node record" wrote')
    .argument('<endpoint>', 'host:port, with an optional scheme and /route, or unix:/path')
    .option('--tolerance <x>', 'of confidences and sides of boxes', number(0), 0.01)
    .option('--picture-tolerance <x>', 'mean difference of pictures, 0 to 255', number(0), 1)
    .option('--realtime', 'at the pace of the recording instead of as fast as the node answers', false)
    .option('--deadline <ms>', 'for each call', wholeNumber(1), 5000)
    .option('--token <token>', 'sent as authorization: Bearer <token>')
    .option('--ca <file>', 'TLS, with this certificate authority (PEM)')
    .option('--json', 'one JSON document', false)
    .addHelpText('after', '\nStatus 1 when an answer differs. Times are not compared.')
    .action(async (file: string, endpoint: string, options: Omit<ReplayFlags, 'file' | 'endpoint'>) => {
      const { runReplay } = await import('./recording/print.ts');
      if (!(await runReplay({ file, endpoint, ...options }))) process.exitCode = 1;
    });
  return node;
}

type ReplayFlags = ReplayOptions & { readonly json: boolean };

const IMAGES = ['numpy', 'bmp', 'jpeg', 'none'] as const;

const NONE: readonly string[] = [];
