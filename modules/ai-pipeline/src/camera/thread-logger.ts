import type { LogFields, Logger } from '@vantage/observability';
import type { FromCamera } from './protocol.ts';

/** A logger whose lines are written by the main thread, which knows the level and owns the output. */
export function threadLogger(send: (message: FromCamera) => void, fields: LogFields = {}): Logger {
  const at =
    (level: Extract<FromCamera, { kind: 'log' }>['level']) =>
    (text: string, more: LogFields = {}): void =>
      send({ kind: 'log', level, text, fields: { ...fields, ...more } });
  return {
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (more) => threadLogger(send, { ...fields, ...more }),
  };
}
