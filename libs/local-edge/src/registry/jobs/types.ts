import type { TwinObject } from '@vantage/contracts';

export type JobType = 'scheduleUpdateTwin' | 'scheduleDeviceMethod';
export type JobStatus = 'enqueued' | 'scheduled' | 'running' | 'completed' | 'failed' | 'cancelled';
export type DeviceJobStatus = 'pending' | 'scheduled' | 'running' | 'completed' | 'failed' | 'canceled';

/** A job over many devices, in the form in which IoT Hub gives it. */
export interface Job {
  readonly jobId: string;
  readonly type: JobType;
  readonly status: JobStatus;
  readonly queryCondition: string;
  readonly createdTime: string;
  readonly startTime: string;
  readonly endTime: string | null;
  readonly maxExecutionTimeInSeconds: number;
  readonly failureReason: string | null;
  readonly updateTwin?: TwinObject;
  readonly cloudToDeviceMethod?: TwinObject;
}

/** What became of a job on one device: a row of `devices.jobs`. */
export interface DeviceJob {
  readonly deviceId: string;
  readonly jobId: string;
  readonly jobType: JobType;
  readonly status: DeviceJobStatus;
  readonly createdDateTimeUtc: string;
  readonly startTimeUtc: string;
  readonly endTimeUtc: string;
  readonly lastUpdatedDateTimeUtc: string;
  readonly outcome?: { readonly deviceMethodResponse: { readonly status: number; readonly payload: unknown } };
  readonly error?: { readonly code: string; readonly description: string };
}

export const isEnded = ({ status }: Job): boolean => ['completed', 'failed', 'cancelled'].includes(status);
