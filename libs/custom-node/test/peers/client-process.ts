/** A client in a process of its own, which sends one frame: `client-process.ts PORT`. Prints `ready` before it. */
import { CustomNodeClient } from '../../src/index.ts';
import { IDS, numberedFrame } from '../support/frames.ts';

const client = new CustomNodeClient({
  endpoint: `127.0.0.1:${process.argv[2]}`,
  ids: IDS,
  deadlineMs: 60_000,
  onStatus: ({ state }) => {
    if (state !== 'ready') return;
    process.stdout.write('ready\n');
    void client.process(numberedFrame(320, 240));
  },
});
client.start();
