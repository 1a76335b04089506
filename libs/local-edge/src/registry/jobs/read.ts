import { isTwinObject, messageOf, type TwinObject } from '@vantage/contracts';
import { parseMethodCall } from '../../api/module-methods.ts';
import { invalidArgument } from '../../errors.ts';
import type { TwinUpdate } from '../../twin/store.ts';
import { parseCondition } from '../query/parser.ts';
import type { Job, JobType } from './types.ts';

const ID = /^[A-Za-z0-9\-:.+%_#*?!(),=@;$']{1,128}$/;
const MAX_EXECUTION_SEC = 172_800;
const TYPES: Readonly<Record<string, JobType>> = {
  scheduleupdatetwin: 'scheduleUpdateTwin',
  scheduletwinupdate: 'scheduleUpdateTwin',
  scheduledevicemethod: 'scheduleDeviceMethod',
};

/** Reads the body that schedules a job. @throws VantageError EDGE_INVALID_ARGUMENT */
export function readJob(jobId: string, body: TwinObject, nowMs: number): Job {
  if (!ID.test(jobId)) throw invalidArgument(`the job id "${jobId}" is not valid`);
  const type = TYPES[String(body['type']).toLowerCase()];
  if (type === undefined) throw invalidArgument(`type: scheduleUpdateTwin or scheduleDeviceMethod expected`);
  const now = new Date(nowMs).toISOString();
  const job: Job = {
    jobId,
    type,
    status: 'enqueued',
    queryCondition: readCondition(body['queryCondition']),
    createdTime: now,
    startTime: readTime(body['startTime'] ?? now),
    endTime: null,
    maxExecutionTimeInSeconds: readDuration(body['maxExecutionTimeInSeconds'] ?? 3600),
    failureReason: null,
  };
  if (type === 'scheduleDeviceMethod') {
    const method = body['cloudToDeviceMethod'];
    parseMethodCall(method);
    return { ...job, cloudToDeviceMethod: method as TwinObject };
  }
  const { updateTwin } = body;
  if (!isTwinObject(updateTwin)) throw invalidArgument('updateTwin is not an object');
  readTwinUpdate(updateTwin);
  return { ...job, updateTwin };
}

/** The parts of a twin document that a service may change; what the hub adds (`$version`, `$metadata`) is left out. */
export function readTwinUpdate(document: TwinObject): TwinUpdate {
  const properties = isTwinObject(document['properties']) ? document['properties'] : {};
  const desired = plain(properties['desired'], 'properties.desired');
  const tags = plain(document['tags'], 'tags');
  return { ...(desired === undefined ? {} : { desired }), ...(tags === undefined ? {} : { tags }) };
}

function plain(value: unknown, path: string): TwinObject | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isTwinObject(value)) throw invalidArgument(`${path} is not an object`);
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== '$version' && key !== '$metadata'));
}

function readCondition(value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '') throw invalidArgument('queryCondition is missing');
  try {
    if (value.trim() !== '*') parseCondition(value, 'devices');
  } catch (error) {
    throw invalidArgument(`queryCondition: ${messageOf(error)}`, error);
  }
  return value;
}

function readTime(value: unknown): string {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(time)) throw invalidArgument('startTime is not an ISO 8601 time');
  return new Date(time).toISOString();
}

function readDuration(value: unknown): number {
  if (typeof value !== 'number' || value < 1 || value > MAX_EXECUTION_SEC) {
    throw invalidArgument(`maxExecutionTimeInSeconds: 1 to ${MAX_EXECUTION_SEC} expected`);
  }
  return value;
}
