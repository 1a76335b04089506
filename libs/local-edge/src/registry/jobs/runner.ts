import { codeOf, messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { parseMethodCall } from '../../api/module-methods.ts';
import { alreadyExists, invalidArgument } from '../../errors.ts';
import type { MethodCall, MethodResult } from '../../hub/methods.ts';
import { matches } from '../query/evaluate.ts';
import { parseCondition } from '../query/parser.ts';
import type { Row } from '../query/run.ts';
import { readTwinUpdate } from './read.ts';
import type { JobStore } from './store.ts';
import { isEnded, type DeviceJob, type Job } from './types.ts';
import type { TwinUpdate } from '../../twin/store.ts';

/** Devices that a job works on at the same time. */
const PARALLEL = 10;
/** How often the clock is read for jobs that start later; their times have seconds. */
const TICK_MS = 500;

export interface RunnerParts {
  readonly store: JobStore;
  readonly logger: Logger;
  /** The hub's clock, ms since 1970. */
  readonly now: () => number;
  devices(): readonly Row[];
  updateTwin(deviceId: string, update: TwinUpdate): Promise<void>;
  invokeMethod(deviceId: string, call: MethodCall): Promise<MethodResult>;
}

/**
 * Runs jobs when their time has come, one device after the other until all are done, the time is over or the job is
 * cancelled. What a restart interrupts goes on with the devices that are not done: a device may be called twice then.
 */
export class JobRunner {
  readonly #parts: RunnerParts;
  readonly #running = new Map<string, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = true;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#stopped = false;
    this.#startDue();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await Promise.all(this.#running.values());
  }

  /** @throws VantageError EDGE_EXISTS, EDGE_LIMIT_REACHED */
  async schedule(job: Job): Promise<Job> {
    if (this.#parts.store.get(job.jobId) !== undefined) throw alreadyExists(`job "${job.jobId}"`);
    const later = Date.parse(job.startTime) > this.#parts.now();
    const added: Job = { ...job, status: later ? 'scheduled' : 'enqueued' };
    await this.#parts.store.add(added);
    this.#startDue();
    return added;
  }

  /** Devices that are done stay so. @throws VantageError EDGE_NOT_FOUND, EDGE_INVALID_ARGUMENT when it has ended */
  async cancel(jobId: string): Promise<Job> {
    const job = this.#parts.store.require(jobId);
    if (isEnded(job)) throw invalidArgument(`job "${jobId}" has ended already: ${job.status}`);
    const cancelled: Job = { ...job, status: 'cancelled', endTime: this.#utc() };
    await this.#parts.store.put(cancelled);
    const left = this.#parts.store.devices(jobId).filter(({ status }) => status === 'pending');
    await this.#parts.store.putDevices(left.map((device) => this.#changed(device, { status: 'canceled' })));
    return cancelled;
  }

  #startDue(): void {
    if (this.#stopped) return;
    const open = this.#parts.store.all().filter((job) => !isEnded(job) && !this.#running.has(job.jobId));
    for (const job of open) if (Date.parse(job.startTime) <= this.#parts.now()) this.#begin(job);
    clearTimeout(this.#timer);
    const later = open.some(({ jobId }) => !this.#running.has(jobId));
    this.#timer = later
      ? setTimeout(() => {
          this.#startDue();
        }, TICK_MS)
      : undefined;
  }

  #begin(job: Job): void {
    const run = this.#run(job)
      .catch(async (error: unknown) => {
        this.#parts.logger.warn('a job failed', { jobId: job.jobId, error: messageOf(error) });
        await this.#parts.store.put({
          ...job,
          status: 'failed',
          endTime: this.#utc(),
          failureReason: messageOf(error),
        });
      })
      .catch((error: unknown) => {
        this.#parts.logger.error('the end of a job could not be kept', { jobId: job.jobId, error: messageOf(error) });
      })
      .finally(() => this.#running.delete(job.jobId));
    this.#running.set(job.jobId, run);
  }

  async #run(job: Job): Promise<void> {
    const { store } = this.#parts;
    if (job.status !== 'running') {
      await store.putDevices(this.#targets(job));
      await store.put({ ...job, status: 'running' });
    }
    const queue = store.devices(job.jobId).filter(({ status }) => status === 'pending' || status === 'running');
    const deadline = Date.parse(job.startTime) + job.maxExecutionTimeInSeconds * 1000;
    const worker = async (): Promise<void> => {
      for (let device = queue.shift(); device !== undefined; device = queue.shift()) {
        if (this.#stopped || store.get(job.jobId)?.status === 'cancelled') return;
        if (this.#parts.now() >= deadline) await this.#end(device, timeOver(job));
        else await this.#runOn(job, device);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
    const last = store.get(job.jobId);
    if (this.#stopped || last === undefined || isEnded(last)) return;
    await store.put({ ...last, status: 'completed', endTime: this.#utc() });
  }

  #targets(job: Job): DeviceJob[] {
    const text = job.queryCondition.trim();
    const condition = text === '*' ? undefined : parseCondition(text, 'devices');
    const now = this.#utc();
    return this.#parts
      .devices()
      .filter((row) => condition === undefined || matches(condition, row.document()))
      .map(({ key }) => ({
        deviceId: key,
        jobId: job.jobId,
        jobType: job.type,
        status: 'pending',
        createdDateTimeUtc: now,
        startTimeUtc: job.startTime,
        endTimeUtc: job.startTime,
        lastUpdatedDateTimeUtc: now,
      }));
  }

  async #runOn(job: Job, device: DeviceJob): Promise<void> {
    const started = this.#changed(device, { status: 'running', startTimeUtc: this.#utc() });
    await this.#parts.store.putDevices([started]);
    try {
      if (job.type === 'scheduleUpdateTwin') {
        await this.#parts.updateTwin(device.deviceId, readTwinUpdate(job.updateTwin ?? {}));
        await this.#end(started, { status: 'completed' });
      } else {
        const { status, payload } = await this.#parts.invokeMethod(
          device.deviceId,
          parseMethodCall(job.cloudToDeviceMethod),
        );
        await this.#end(started, { status: 'completed', outcome: { deviceMethodResponse: { status, payload } } });
      }
    } catch (error) {
      const problem = { code: codeOf(error) ?? 'ServerError', description: messageOf(error) };
      await this.#end(started, { status: 'failed', error: problem });
    }
  }

  async #end(device: DeviceJob, change: Partial<DeviceJob>): Promise<void> {
    await this.#parts.store.putDevices([this.#changed(device, { ...change, endTimeUtc: this.#utc() })]);
  }

  #changed(device: DeviceJob, change: Partial<DeviceJob>): DeviceJob {
    return { ...device, ...change, lastUpdatedDateTimeUtc: this.#utc() };
  }

  #utc(): string {
    return new Date(this.#parts.now()).toISOString();
  }
}

function timeOver({ maxExecutionTimeInSeconds }: Job): Partial<DeviceJob> {
  const description = `the job's ${maxExecutionTimeInSeconds} s were over`;
  return { status: 'failed', error: { code: 'JobTimeout', description } };
}
