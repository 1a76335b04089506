import logUpdate from 'log-update';
import type { UpEvent } from './events.ts';
import { Summary } from './summary.ts';

/** What the user sees of the events. */
export interface Display {
  event(event: UpEvent): void;
  stop(): void;
}

const REDRAW_MS = 500;

/** JSON lines, a picture that redraws itself in a terminal, or plain lines. */
export function createDisplay(kind: 'json' | 'live' | 'plain', summary: Summary): Display {
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  if (kind === 'json') {
    return {
      event: (event) => print(JSON.stringify({ time: new Date().toISOString(), ...event })),
      stop: () => undefined,
    };
  }
  if (kind === 'plain') return { event: (event) => print(Summary.line(event)), stop: () => undefined };
  const draw = (): void => logUpdate(summary.render());
  const timer = setInterval(draw, REDRAW_MS);
  return {
    event: ({ event }) => {
      // Numbers may wait for the next redrawing; a change of phase is shown at once.
      if (event === 'starting' || event === 'started' || event === 'stopping' || event === 'ended') draw();
    },
    stop: () => {
      clearInterval(timer);
      logUpdate.done();
    },
  };
}
