import path from 'node:path';
import pc from 'picocolors';
import type { EdgeStatus, ModuleStatus } from '@vantage/local-edge';
import { inWords } from '../duration.ts';
import { faultText } from '../fault/fault-text.ts';
import { table } from '../table.ts';

/** The offset is the difference of two readings: below this it is none. */
const LEAST_OFFSET_MS = 100;

/** The status at a glance: what is well is short, what is not is named. `nowMs`: by this machine's clock. */
export function renderStatus(status: EdgeStatus, nowMs: number, playerUrl?: string): string {
  const { deviceId, startedAtUtc, ports, pid, stateDir, clock } = status;
  const blocks = [
    [
      `${pc.bold(deviceId)}  running for ${inWords(nowMs - Date.parse(startedAtUtc))}   ` +
        pc.dim(`MQTT ${ports.mqtt}, API ${ports.api}, pid ${pid}, ${fromHere(stateDir)}`),
    ],
    playerUrl === undefined ? [] : [`Player   ${pc.cyan(playerUrl)}`],
    moduleRows(status, nowMs),
    messageRows(status),
    section(
      'route problems',
      status.routeProblems.map(({ routeName, message }) => `${pc.red('●')} ${routeName}: ${message}`),
    ),
    section(
      'faults',
      status.faults.map((fault) => `${pc.yellow('●')} ${faultText(fault, nowMs)}`),
    ),
    Math.abs(clock.offsetMs) < LEAST_OFFSET_MS ? [] : [`the hub's clock says ${clock.nowUtc}`],
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function moduleRows({ modules, otherClients }: EdgeStatus, nowMs: number): string[] {
  if (modules.length === 0) return [pc.dim('no modules are deployed')];
  const rows = [...modules]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((module) => [
      `${dot(module)} ${module.id}`,
      module.status === 'running' ? 'running' : `${module.status}: ${module.reason}`,
      module.status === 'running' ? ago(module.lastStartTimeUtc, nowMs) : '',
      String(module.restartCount),
      connectionText(module.connection, nowMs),
      module.pid === undefined ? '' : String(module.pid),
    ]);
  const others = Object.entries(otherClients).map(([name, state]) => [
    `${state.status === 'Connected' ? pc.green('●') : pc.dim('○')} ${name}`,
    pc.dim('not deployed here'),
    '',
    '',
    connectionText(state, nowMs),
    '',
  ]);
  return table(['module', 'state', 'since', 'restarts', 'hub', 'pid'], [...rows, ...others]);
}

function messageRows({ messages, queues, deviceId }: EdgeStatus): string[] {
  const { delivered, expired, waiting, upstreamSequence } = messages;
  const lost = expired > 0 ? `, ${expired} expired` : '';
  const head = `messages  ${delivered} delivered${lost}, ${waiting} waiting, ${upstreamSequence} upstream in all`;
  const rows = queues
    .filter((queue) => queue.waiting > 0)
    .sort((a, b) => b.waiting - a.waiting)
    .map((queue) => `  ${queue.endpoint.replace(`${deviceId}/`, '')}  ${queue.waiting} waiting`);
  return [head, ...rows];
}

function section(name: string, rows: readonly string[]): string[] {
  return rows.length === 0 ? [] : [name, ...rows.map((row) => `  ${row}`)];
}

function dot({ status, connection }: ModuleStatus): string {
  if (status !== 'running') return status === 'stopped' ? pc.dim('○') : pc.red('●');
  return connection?.status === 'Connected' ? pc.green('●') : pc.yellow('○');
}

function connectionText(connection: ModuleStatus['connection'], nowMs: number): string {
  if (connection === undefined) return 'not yet connected';
  const { status, lastConnectedTimeUtc, lastDisconnectedTimeUtc } = connection;
  return status === 'Connected'
    ? `connected ${ago(lastConnectedTimeUtc, nowMs)}`
    : `gone for ${ago(lastDisconnectedTimeUtc, nowMs)}`;
}

function ago(utc: string | undefined, nowMs: number): string {
  return utc === undefined ? '' : inWords(nowMs - Date.parse(utc));
}

function fromHere(folder: string): string {
  const relative = path.relative(process.cwd(), folder);
  return relative.startsWith('..') ? folder : relative === '' ? '.' : relative;
}
