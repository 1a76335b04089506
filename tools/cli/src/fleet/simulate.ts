import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '@vantage/contracts';
import type { ControlClient } from '../control/client.ts';
import { type DeviceIdentity, type FleetHub, SimulatedDevice } from './device.ts';
import { patchFleet, registerFleet, removeFleet } from './registration.ts';
import { Telemetry, type TelemetryCounts } from './telemetry.ts';

export interface SimulateOptions {
  readonly devices: number;
  readonly prefix: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly isEdge: boolean;
  /** Connections that are being made at one time. */
  readonly connects: number;
  /** Messages a second of each device. */
  readonly rate: number;
  /** Leaves the devices registered. */
  readonly keep: boolean;
}

/** How it went; times in milliseconds. */
export interface FleetSummary {
  readonly devices: number;
  readonly connected: number;
  readonly gotTwin: number;
  /** Devices whose report of the one desired patch came back confirmed. */
  readonly gotPatch: number;
  /** Patches and messages that did not arrive. */
  readonly lost: number;
  /** Connections that broke and were made again. */
  readonly reconnects: number;
  readonly telemetry: TelemetryCounts;
  readonly times: { readonly register: number; readonly connect: number; readonly patch: number };
  readonly hub: { readonly rssMiB: number | null; readonly rssBeforeMiB: number | null };
  /** The first few. */
  readonly errors: readonly string[];
}

export type Progress = Pick<FleetSummary, 'connected' | 'gotTwin' | 'gotPatch'> & { readonly phase: string };

const PATCH_MS = 60_000;
const SHOWN_ERRORS = 5;

/** Runs the fleet: register, connect, twins, one patch for each, then telemetry until `signal` aborts. */
export async function simulateFleet(
  hub: ControlClient,
  options: SimulateOptions,
  until: () => AbortSignal,
  tell: (progress: Progress) => void,
): Promise<FleetSummary> {
  const { pid, caFile } = hub.connection;
  const { ports, hubHostName } = await hub.status();
  const rssBeforeMiB = await residentMiB(pid);
  const times = { register: 0, connect: 0, patch: 0 };
  const state = new FleetState(tell);
  state.enter('registers');
  let started = performance.now();
  const identities = await registerFleet(hub, { ...options, count: options.devices });
  times.register = since(started);
  const fleetHub: FleetHub = { mqttPort: ports.mqtt, hubHostName, ca: await readFile(caFile, 'utf8') };
  let devices: SimulatedDevice[] = [];
  const telemetry = new Telemetry();
  try {
    state.enter('connects');
    started = performance.now();
    devices = await connectFleet(identities, fleetHub, options, state);
    times.connect = since(started);
    state.enter('patches');
    started = performance.now();
    await patchAll(hub, identities, devices, options.isEdge, state);
    times.patch = since(started);
    state.enter('runs');
    await telemetry.run(devices, options.rate, until());
  } finally {
    const rssMiB = await residentMiB(pid);
    await Promise.all(devices.map((device) => device.close()));
    if (!options.keep) await removeFleet(hub, identities);
    state.rssMiB = rssMiB;
  }
  const { connected, gotTwin, gotPatch, reconnects, rssMiB, errors } = state;
  const lost = options.devices - gotPatch + telemetry.counts.lost;
  const counts = { devices: options.devices, connected, gotTwin, gotPatch, lost, reconnects };
  return { ...counts, telemetry: telemetry.counts, times, hub: { rssMiB, rssBeforeMiB }, errors };
}

class FleetState {
  connected = 0;
  gotTwin = 0;
  gotPatch = 0;
  reconnects = 0;
  rssMiB: number | null = null;
  readonly errors: string[] = [];
  readonly #tell: (progress: Progress) => void;
  #phase = '';

  constructor(tell: (progress: Progress) => void) {
    this.#tell = tell;
  }

  enter(phase: string): void {
    this.#phase = phase;
    this.changed();
  }

  changed(): void {
    const { connected, gotTwin, gotPatch } = this;
    this.#tell({ phase: this.#phase, connected, gotTwin, gotPatch });
  }

  failed(error: unknown): void {
    if (this.errors.length < SHOWN_ERRORS) this.errors.push(messageOf(error));
  }
}

/** At most `connects` at a time: a TLS handshake is work, and a queue of thousands times out. */
async function connectFleet(
  identities: readonly DeviceIdentity[],
  hub: FleetHub,
  options: SimulateOptions,
  state: FleetState,
): Promise<SimulatedDevice[]> {
  const devices: SimulatedDevice[] = [];
  const waiting = identities.values();
  const worker = async (): Promise<void> => {
    for (const identity of waiting) {
      const device = new SimulatedDevice(identity, hub, options.isEdge);
      devices.push(device);
      try {
        await device.connect();
        state.connected += 1;
        device.on('disconnected', () => (state.reconnects += 1));
        await device.getTwin();
        state.gotTwin += 1;
      } catch (error) {
        state.failed(error);
      }
      state.changed();
    }
  };
  await Promise.all(Array.from({ length: options.connects }, worker));
  return devices;
}

/** One patch for each, and then until every device's report of it is confirmed. */
async function patchAll(
  hub: ControlClient,
  identities: readonly DeviceIdentity[],
  devices: readonly SimulatedDevice[],
  isEdge: boolean,
  state: FleetState,
): Promise<void> {
  const patched = new Promise<void>((resolve) => {
    const missing = new Set(devices);
    for (const device of devices) {
      device.on('applied', (version) => {
        // Version 1 is what every twin begins with.
        if (version < 2 || !missing.delete(device)) return;
        state.gotPatch += 1;
        state.changed();
        if (missing.size === 0) resolve();
      });
    }
  });
  await patchFleet(
    hub,
    identities,
    { fleet: { patchedAt: new Date().toISOString() } },
    isEdge ? '$edgeAgent' : undefined,
  );
  const abort = new AbortController();
  await Promise.race([patched, delay(PATCH_MS, undefined, { signal: abort.signal })]);
  abort.abort();
}

/** Resident memory of a process; null where the system does not say (only Linux does). */
async function residentMiB(pid: number): Promise<number | null> {
  try {
    const kibibytes = /VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kibibytes === undefined ? null : Math.round(Number(kibibytes) / 102.4) / 10;
  } catch {
    return null;
  }
}

function since(started: number): number {
  return Math.round(performance.now() - started);
}
