import { limitReached, notFound } from '../../errors.ts';
import type { StateDatabase } from '../../state/database.ts';
import type { Row } from '../query/run.ts';
import { isEnded, type DeviceJob, type Job } from './types.ts';

/** Ended jobs beyond this many are forgotten, the oldest first; as many may wait or run. */
const MAX_JOBS = 1000;

/** Jobs and their devices. */
export class JobStore {
  readonly #database: StateDatabase;
  readonly #jobs = new Map<string, Job>();
  readonly #devices = new Map<string, Map<string, DeviceJob>>();

  constructor(database: StateDatabase) {
    this.#database = database;
  }

  open(): void {
    this.#database.define(`
      CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, document TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS device_jobs (
        job TEXT NOT NULL, device TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (job, device))`);
    for (const row of this.#database.prepare('SELECT * FROM jobs ORDER BY rowid').iterate()) {
      this.#jobs.set(String(row['id']), JSON.parse(String(row['document'])) as Job);
    }
    for (const row of this.#database.prepare('SELECT * FROM device_jobs').iterate()) {
      const device = JSON.parse(String(row['document'])) as DeviceJob;
      this.#devicesOf(device.jobId).set(device.deviceId, device);
    }
  }

  /** In the order in which they were made. */
  all(): Job[] {
    return [...this.#jobs.values()];
  }

  get(jobId: string): Job | undefined {
    return this.#jobs.get(jobId);
  }

  /** @throws VantageError EDGE_NOT_FOUND */
  require(jobId: string): Job {
    const job = this.#jobs.get(jobId);
    if (job === undefined) throw notFound(`job "${jobId}"`);
    return job;
  }

  devices(jobId: string): DeviceJob[] {
    return [...(this.#devices.get(jobId)?.values() ?? [])];
  }

  /** All devices of all jobs, for a query. */
  rows(): Row[] {
    return [...this.#devices.values()]
      .flatMap((devices) => [...devices.values()])
      .map((device) => ({ key: `${device.jobId}\n${device.deviceId}`, document: () => device }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** @throws VantageError EDGE_LIMIT_REACHED */
  async add(job: Job): Promise<void> {
    const excess = this.#jobs.size + 1 - MAX_JOBS;
    const oldest = this.all().filter(isEnded).slice(0, Math.max(0, excess));
    if (oldest.length < excess) throw limitReached('jobs that have not ended', MAX_JOBS);
    await Promise.all(oldest.map(({ jobId }) => this.#remove(jobId)));
    await this.put(job);
  }

  async put(job: Job): Promise<void> {
    const insert = this.#database.prepare(
      'INSERT INTO jobs VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document',
    );
    await this.#database.write(() => insert.run(job.jobId, JSON.stringify(job)));
    this.#jobs.set(job.jobId, job);
  }

  async putDevices(devices: readonly DeviceJob[]): Promise<void> {
    const insert = this.#database.prepare('INSERT OR REPLACE INTO device_jobs VALUES (?, ?, ?)');
    await this.#database.write(() => {
      for (const device of devices) insert.run(device.jobId, device.deviceId, JSON.stringify(device));
    });
    for (const device of devices) this.#devicesOf(device.jobId).set(device.deviceId, device);
  }

  async #remove(jobId: string): Promise<void> {
    const job = this.#database.prepare('DELETE FROM jobs WHERE id = ?');
    const devices = this.#database.prepare('DELETE FROM device_jobs WHERE job = ?');
    this.#jobs.delete(jobId);
    this.#devices.delete(jobId);
    await this.#database.write(() => {
      job.run(jobId);
      devices.run(jobId);
    });
  }

  #devicesOf(jobId: string): Map<string, DeviceJob> {
    const devices = this.#devices.get(jobId) ?? new Map<string, DeviceJob>();
    this.#devices.set(jobId, devices);
    return devices;
  }
}
