import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf } from '@vantage/contracts';
import { redact } from '@vantage/observability';

/** What was found out about one thing. */
export interface Finding {
  /** Stays the same from version to version: `ffmpeg`, `inference.cuda`. */
  readonly id: string;
  /** `good`; `limited`: pipelines run without it, slower or with less; `missing`: nothing runs without it. */
  readonly state: 'good' | 'limited' | 'missing';
  /** One sentence. */
  readonly found: string;
  /** What to do; where there is something to do. */
  readonly remedy?: string;
}

export interface Answer {
  readonly ok: boolean;
  readonly stdout: string;
  /** First line of what it complained about. */
  readonly reason: string;
}

/** Asks a program; one that is not there, fails or takes too long is an answer, too. */
export async function ask(program: string, args: readonly string[], timeoutMs = 15_000): Promise<Answer> {
  try {
    const { stdout } = await promisify(execFile)(program, [...args], { timeout: timeoutMs, maxBuffer: 1 << 20 });
    return { ok: true, stdout: stdout.trim(), reason: '' };
  } catch (error) {
    const { code, killed, stderr } = error as { code?: unknown; killed?: boolean; stderr?: string };
    if (code === 'ENOENT') return { ok: false, stdout: '', reason: 'there is no such program' };
    if (killed === true) return { ok: false, stdout: '', reason: `it did not answer within ${timeoutMs / 1000} s` };
    const lines = (stderr ?? '').trim().split('\n');
    const said = lines.find((line) => /error|cannot|failed|no device/i.test(line)) ?? lines.at(-1) ?? '';
    return { ok: false, stdout: '', reason: redact(said === '' ? messageOf(error) : said).trim() };
  }
}

/** `23.4 GiB` */
export function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
