import { VantageError, type customNode } from '@vantage/contracts';
import { fail, ok, skip, type Check, type Context, type Finding, type Wants } from './check.ts';
import { FRAME_CHECKS } from './frame-checks.ts';
import { frameFor, testPicture } from './frames.ts';
import { HANDSHAKE_CHECKS } from './handshake-checks.ts';
import { LOAD_CHECKS } from './load-checks.ts';
import { credentialsOf, Peer, type Access } from './peer.ts';
import { ROBUSTNESS_CHECKS } from './robustness-checks.ts';
import { SERVICE_CHECKS } from './service-checks.ts';
import { wantsOf } from './wants.ts';

export interface CheckResult extends Finding {
  readonly id: string;
  readonly title: string;
  readonly ms: number;
}

export interface ConformanceReport {
  /** What the handshake said; absent where there was none. */
  readonly wants?: Wants;
  readonly checks: readonly CheckResult[];
}

export interface RunOptions {
  /** Called after each check. */
  readonly onResult?: (result: CheckResult) => void;
  /** Ids of the checks to run besides the handshake. Default: all. */
  readonly only?: readonly string[];
}

const CHECKS: readonly Check[] = [
  ...HANDSHAKE_CHECKS,
  ...FRAME_CHECKS,
  ...ROBUSTNESS_CHECKS,
  ...LOAD_CHECKS,
  ...SERVICE_CHECKS,
];

/**
 * Tries a node of any language against contract A.
 */
export async function runChecks(
  access: Access,
  ids: { readonly instanceId: string; readonly skillId: string; readonly deviceId: string },
  { onResult, only }: RunOptions = {},
): Promise<ConformanceReport> {
  const credentials = await credentialsOf(access);
  const peers: Peer[] = [];
  const open = (): Peer => {
    const peer = new Peer(access, credentials);
    peers.push(peer);
    return peer;
  };
  const checks: CheckResult[] = [];
  const record = (result: CheckResult): void => {
    checks.push(result);
    onResult?.(result);
  };
  try {
    const peer = open();
    const start = performance.now();
    const { finding, wants } = await shakeHands(peer, ids);
    record({ id: 'handshake', title: 'the handshake is answered', ms: performance.now() - start, ...finding });
    const context = wants && { peer, open, wants, deadlineMs: access.deadlineMs };
    let gone = wants ? undefined : 'there is no handshake';
    for (const check of chosen(only)) {
      if (gone !== undefined || !context) {
        record({ id: check.id, title: check.title, ms: 0, ...skip(gone ?? '') });
        continue;
      }
      const result = await runOne(check, context);
      record(result);
      if (result.outcome === 'fail' && !(await isAlive(context))) gone = `the node is gone since "${check.title}"`;
    }
    return { ...(wants ? { wants } : {}), checks };
  } finally {
    for (const peer of peers) peer.close();
  }
}

function chosen(only: readonly string[] | undefined): readonly Check[] {
  if (only === undefined || only.length === 0) return CHECKS;
  const unknown = only.filter((id) => !CHECKS.some((check) => check.id === id));
  if (unknown.length > 0)
    throw new VantageError(
      'NODE_CHECK_UNKNOWN',
      `there is no check "${unknown.join('", "')}"; there are ${CHECKS.map(({ id }) => id).join(', ')}`,
    );
  return CHECKS.filter(({ id }) => only.includes(id));
}

async function runOne(check: Check, context: Context): Promise<CheckResult> {
  const start = performance.now();
  const finding = await check.run(context);
  const ms = performance.now() - start;
  const harmed = check.hostile && finding.outcome !== 'fail' && finding.outcome !== 'skip' && !(await isAlive(context));
  const harm = fail(
    `${finding.detail}; afterwards the node no longer answers`,
    'catch errors of one frame; the process must stay',
  );
  return { id: check.id, title: check.title, ms, ...(harmed ? harm : finding) };
}

/** Whether an ordinary frame of a new connection is answered. */
async function isAlive({ open, wants }: Context): Promise<boolean> {
  const peer = open();
  const hello = await peer.handshake();
  if (!hello.ok) return false;
  const reply = await peer.send(await frameFor(wants, testPicture(64, 48)));
  return reply.ok;
}

async function shakeHands(
  peer: Peer,
  ids: Partial<customNode.HandshakeRequest>,
): Promise<{ finding: Finding; wants?: Wants }> {
  const reply = await peer.handshake(ids);
  if (!reply.ok) {
    const advice =
      reply.code === 'UNAVAILABLE'
        ? 'is the node running, on this host and port, and reachable from here? TLS: use https:// or --ca'
        : reply.code === 'UNIMPLEMENTED'
          ? 'something else listens there: the node must serve custom_node.CustomNodeHandler'
          : reply.code === 'UNAUTHENTICATED'
            ? 'give the token: --token'
            : 'look at the log of the node';
    return { finding: fail(`${reply.code} ${reply.details}`, advice) };
  }
  const { ack } = reply.message;
  if (ack !== 1n) return { finding: fail(`seq 1 was answered with ack ${ack}`, 'set ack = request.seq') };
  const wants = wantsOf(reply.message);
  if (typeof wants === 'string') return { finding: fail(wants, 'use the values of custom_node.proto') };
  const pixels = wants.withImage ? `${wants.encoding} pictures` : 'no pictures';
  return { finding: ok(`wants ${pixels}, answers ${wants.response}, ${reply.ms.toFixed(1)} ms`), wants };
}

/** How many checks ended how. */
export function tally(checks: readonly CheckResult[]): Record<CheckResult['outcome'], number> {
  const count = { ok: 0, warn: 0, fail: 0, skip: 0 };
  for (const check of checks) count[check.outcome] += 1;
  return count;
}
