import { accessOf } from './peer.ts';
import { resultLines, summaryLine } from './report.ts';
import { runChecks, tally } from './run-checks.ts';

export interface TestNodeOptions {
  readonly endpoint: string;
  readonly json: boolean;
  readonly strict: boolean;
  /** Ids of checks; empty for all. */
  readonly only: readonly string[];
  /** Milliseconds a call. */
  readonly deadline: number;
  readonly token?: string;
  readonly ca?: string;
  readonly instance: string;
  readonly skill: string;
  readonly device: string;
}

/** Runs the conformance kit and prints its report. @returns whether the node passed */
export async function testNode(options: TestNodeOptions): Promise<boolean> {
  const access = accessOf(options.endpoint, options);
  const ids = { instanceId: options.instance, skillId: options.skill, deviceId: options.device };
  const { wants, checks } = await runChecks(access, ids, {
    only: options.only,
    onResult: (result) => {
      if (!options.json) process.stdout.write(resultLines(result));
    },
  });
  const count = tally(checks);
  if (options.json)
    process.stdout.write(`${JSON.stringify({ endpoint: options.endpoint, wants, summary: count, checks })}\n`);
  else process.stdout.write(summaryLine(count));
  return count.fail === 0 && !(options.strict && count.warn > 0);
}
