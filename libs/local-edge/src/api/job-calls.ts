import { notFound, notPartOfLocalHub } from '../errors.ts';
import { readJob } from '../registry/jobs/read.ts';
import type { Job } from '../registry/jobs/types.ts';
import { MAX_PAGE_SIZE } from '../registry/query/run.ts';
import { ok, readCount, readObject, type Call, type Route } from './calls.ts';
import type { HttpReply } from './http.ts';

const ONE = /^\/jobs\/v2\/([^/]+)\/?$/;

export const JOB_ROUTES: readonly Route[] = [
  ['GET', /^\/jobs\/v2\/query\/?$/, 'ServiceConnect', query],
  ['GET', ONE, 'ServiceConnect', get],
  ['PUT', ONE, 'ServiceConnect', schedule],
  ['POST', /^\/jobs\/v2\/([^/]+)\/cancel\/?$/, 'ServiceConnect', cancel],
  // Import and export go through blobs that a device registry of this size has no need of.
  ['POST', /^\/jobs\/create\/?$/, 'RegistryWrite', importExport],
  ['GET', /^\/jobs\/?$/, 'RegistryRead', () => ok([])],
  ['GET', /^\/jobs\/([^/]+)\/?$/, 'RegistryRead', noImportExport],
  ['DELETE', /^\/jobs\/([^/]+)\/?$/, 'RegistryWrite', noImportExport],
];

async function schedule({ hub, request, deviceId: jobId }: Call): Promise<HttpReply> {
  const job = await hub.jobRunner.schedule(readJob(jobId, await readObject(request), hub.now()));
  return ok(describe(hub, job));
}

function get({ hub, deviceId: jobId }: Call): HttpReply {
  return ok(describe(hub, hub.jobs.require(jobId)));
}

async function cancel({ hub, deviceId: jobId }: Call): Promise<HttpReply> {
  return ok(describe(hub, await hub.jobRunner.cancel(jobId)));
}

function query({ hub, request, parameters }: Call): HttpReply {
  const [type, status] = [parameters.get('jobType')?.toLowerCase(), parameters.get('jobStatus')?.toLowerCase()];
  const size = request.headers['x-ms-max-item-count'] ?? parameters.get('pageSize');
  const pageSize = readCount(size, 'x-ms-max-item-count', MAX_PAGE_SIZE) ?? MAX_PAGE_SIZE;
  const after = request.headers['x-ms-continuation'] ?? parameters.get('continuationToken') ?? undefined;
  const found = hub.jobs
    .all()
    .filter((job) => (type ?? job.type.toLowerCase()) === job.type.toLowerCase())
    .filter((job) => (status ?? job.status) === job.status)
    .sort((a, b) => (a.jobId < b.jobId ? -1 : 1))
    .filter(({ jobId }) => after === undefined || jobId > String(after));
  const page = found.slice(0, pageSize);
  const last = page.at(-1);
  const more = found.length > page.length && last !== undefined;
  return { ...ok(page.map((job) => describe(hub, job))), headers: more ? { 'x-ms-continuation': last.jobId } : {} };
}

function importExport(): never {
  throw notPartOfLocalHub('import and export of devices through blobs');
}

function noImportExport({ deviceId: jobId }: Call): never {
  throw notFound(`import or export job "${jobId}": they are not part of the local hub`);
}

function describe(hub: Call['hub'], job: Job): object {
  const devices = hub.jobs.devices(job.jobId);
  const count = (...status: string[]): number => devices.filter((device) => status.includes(device.status)).length;
  return {
    ...job,
    deviceJobStatistics: {
      deviceCount: devices.length,
      failedCount: count('failed'),
      succeededCount: count('completed'),
      runningCount: count('running'),
      pendingCount: count('pending', 'scheduled'),
    },
  };
}
