import { setTimeout as after } from 'node:timers/promises';
import { diffTwin, type TwinObject } from '@vantage/contracts';
import { redactDeep } from '@vantage/observability';
import { findHub } from '@vantage/hub';
import type { HubOptions } from '../hub/options.ts';
import { untilSignal } from '../until-signal.ts';

const ASK_EVERY_MS = 1000;

/** Prints what changes in a twin, a JSON line each: `{"time", "desired"?, "reported"?}`, until it is told to end. */
export async function watchTwin(module: string, options: HubOptions & { readonly seconds?: number }): Promise<void> {
  const hub = await findHub(options);
  const end = untilSignal(options.seconds);
  let before: { desired: TwinObject; reported: TwinObject } | undefined;
  while (!end.signal.aborted) {
    const { properties } = await hub.moduleTwin(module);
    const now = { desired: withoutMetadata(properties.desired), reported: withoutMetadata(properties.reported) };
    const changes = Object.entries(now).flatMap(([part, value]) => {
      const change = before ? diffTwin(before[part as keyof typeof now], value) : value;
      return Object.keys(change).length > 0 ? [[part, redactDeep(change)] as const] : [];
    });
    if (changes.length > 0) {
      process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...Object.fromEntries(changes) })}\n`);
    }
    before = now;
    await after(ASK_EVERY_MS, undefined, { signal: end.signal }).catch(() => undefined);
  }
  end.release();
}

function withoutMetadata(properties: Readonly<Record<string, unknown>>): TwinObject {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => key !== '$metadata' && key !== '$version'));
}
