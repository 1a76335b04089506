// One of the soak's modules: sends at a steady rate to its output, writes down what the hub acknowledged and what it
// got. Ends with its runtime, or by being killed at any moment.
import device, { type Message } from 'azure-iot-device';
import { EdgeModule } from '@vantage/edge-client';
import { createLogger } from '@vantage/observability';
import { Journal, readJournal } from './journal.ts';

const { SOAK_FOLDER: folder = '', SOAK_RATE: rate = '125', IOTEDGE_MODULEID: me = '' } = process.env;
const TICK_MS = 40;
/** Of what the hub has not acknowledged; beyond it the module waits, as one that may lose nothing has to. */
const MAX_UNACKED = 400;
/** So much is made up for after a cut. */
const MAX_DUE = 1500;

const life = readJournal(folder, me).filter(([kind]) => kind === 'started').length + 1;
const journal = new Journal(folder, me);
journal.started();
process.stdin.resume().on('end', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));

// Written down in the SDK's own event, which it raises before it acknowledges: a delivery that the hub takes for done is
// in the journal, whenever the kill comes. (An EdgeModule holds messages until it knows its twin; what is killed with
// them would be this module's loss and not the hub's.)
type Emit = (this: unknown, event: string | symbol, ...args: unknown[]) => boolean;
const prototype = device.ModuleClient.prototype as unknown as { emit: Emit };
const { emit } = prototype;
prototype.emit = function (event, ...args) {
  if (event === 'inputMessage') {
    const text = ((args[1] as Message).getData() as Buffer).toString();
    journal.got(`${me}/${String(args[0])}`, text.slice(0, text.indexOf(' ')));
  }
  return emit.call(this, event, ...args);
};

const logger = createLogger({ module: me, level: 'warning' });
const edge = new EdgeModule({ logger, backoff: { baseMs: 100, capMs: 1000, resetAfterMs: 5000 } });
let running = false;
let unacked = 0;
let number = 0;
let due = 0;

edge.onInput('in', () => undefined);
edge.onDesired((desired) => {
  running = desired['run'] === true;
  if (!running) reportWhenIdle();
});
edge.start();

setInterval(() => {
  if (!running) return;
  due = Math.min(due + (Number(rate) * TICK_MS) / 1000, MAX_DUE);
  for (; due >= 1 && unacked < MAX_UNACKED; due -= 1) send();
}, TICK_MS);

function send(): void {
  number += 1;
  const key = `${me}:${life}:${number}`;
  journal.sent(key);
  unacked += 1;
  edge
    .send('out', `${key} ${'x'.repeat(200)}`)
    .then(
      () => {
        journal.acked(key);
      },
      (error: unknown) => {
        process.stderr.write(`not sent: ${key} ${String(error)}\n`);
      },
    )
    .finally(() => {
      unacked -= 1;
      if (!running) reportWhenIdle();
    });
}

function reportWhenIdle(): void {
  if (unacked === 0) edge.report({ idle: true, life }).catch(() => undefined);
}
