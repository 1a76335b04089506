import { MODULES, VantageError, isObject } from '@vantage/contracts';
import { findHub, type Hub } from '@vantage/hub';
import type { HubOptions } from '../hub/options.ts';

export interface WhyOptions extends HubOptions {
  readonly at?: string;
  readonly seconds: number;
  readonly json: boolean;
}

/** Insights of now are under way for a moment. */
const LATELY_MS = 5000;
const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

/** Asks the ai-pipeline and the BusinessLogicModule, and prints what both say in the order of time. */
export async function printWhy(camera: string, options: WhyOptions): Promise<void> {
  const hub = await findHub(options);
  const [sensor = camera, pipeline] = camera.split('/').reverse();
  const at = momentOf(options.at, Date.now());
  const question = { sensor, ...(pipeline === undefined ? {} : { pipeline }), at, seconds: options.seconds };
  const seen = await answer(hub, MODULES.aiPipeline, question);
  const named = isObject(seen) && typeof seen['pipeline'] === 'string' ? { pipeline: seen['pipeline'] } : {};
  // A device need not have one.
  const decided = await answer(hub, MODULES.businessLogic, { ...question, ...named }).catch((error: unknown) => ({
    error: error instanceof Error ? error.message : String(error),
  }));
  const summary = [...linesOf(seen), ...linesOf(decided)];
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ pipeline: seen, decisions: decided, summary }, null, 2)}\n`);
    return;
  }
  process.stdout.write(`${summary.join('\n')}\n`);
}

/** Milliseconds since the Unix epoch. @throws VantageError TIME_INVALID */
export function momentOf(text: string | undefined, nowMs: number): number {
  if (text === undefined) return nowMs - LATELY_MS;
  const ago = /^(\d+(?:\.\d+)?)\s*([smh])(?:\s+ago)?$/.exec(text.trim());
  if (ago) return nowMs - Number(ago[1]) * (UNITS[ago[2] ?? ''] ?? 0);
  const clock = /^\d\d:\d\d(:\d\d)?$/.test(text) ? `${new Date(nowMs).toISOString().slice(0, 10)}T${text}Z` : text;
  const timeMs = /^\d{12,}$/.test(text) ? Number(text) : Date.parse(clock);
  if (!Number.isNaN(timeMs)) return timeMs;
  throw new VantageError('TIME_INVALID', `"${text}" is no time such as 2026-01-31T12:00:00Z, 12:00:00 or 90s`);
}

async function answer(hub: Hub, module: string, question: unknown): Promise<unknown> {
  const { status, payload } = await hub.invokeMethod(module, 'why', question);
  if (status === 200) return payload;
  const reason = isObject(payload) && typeof payload['error'] === 'string' ? payload['error'] : `status ${status}`;
  throw new VantageError('WHY_UNANSWERED', `${module}: ${reason}`);
}

function linesOf(value: unknown): string[] {
  const summary: unknown = isObject(value) ? value['summary'] : undefined;
  return Array.isArray(summary) ? summary.filter((line) => typeof line === 'string') : [];
}
