import { afterEach, expect, test } from '@jest/globals';
import type iothub from 'azure-iothub';
import { cleanUp, eventually, openRegistry, startRuntime } from './harness.ts';
import { bodyOf, openJobs, queryAll } from './registry-client.ts';

afterEach(cleanUp);

interface Status {
  status: string;
  deviceJobStatistics: { deviceCount: number; succeededCount: number; failedCount: number; pendingCount: number };
}
const statusOf = async (jobs: iothub.JobClient, id: string): Promise<Status> =>
  ((await jobs.getJob(id)) as unknown as { jobStatus: Status }).jobStatus;

async function ended(jobs: iothub.JobClient, id: string): Promise<Status> {
  for (;;) {
    const status = await statusOf(jobs, id);
    if (['completed', 'failed', 'cancelled'].includes(status.status)) return status;
  }
}

test('update twins and call methods on the devices that fit', async () => {
  const runtime = await startRuntime();
  const registry = await openRegistry(runtime);
  const jobs = await openJobs(runtime);
  await registry.addDevices(
    ['a', 'b', 'c'].map((deviceId) => ({ deviceId, tags: { site: deviceId === 'c' ? 's' : 'n' } })),
  );
  const heard = eventually<{ deviceId: string }>(
    (listener) => runtime.on('twin', listener),
    ({ deviceId }) => deviceId === 'b',
  );
  await jobs.scheduleTwinUpdate(
    'up',
    "tags.site = 'n'",
    { etag: '*', tags: { done: true }, properties: { desired: { x: 1 } } },
    new Date(),
    60,
  );
  await heard;
  expect(await ended(jobs, 'up')).toMatchObject({
    status: 'completed',
    deviceJobStatistics: { deviceCount: 2, succeededCount: 2, failedCount: 0, pendingCount: 0 },
  });
  expect(await queryAll(registry, 'SELECT deviceId FROM devices WHERE tags.done = true')).toEqual([
    { deviceId: 'a' },
    { deviceId: 'b' },
  ]);
  expect(await bodyOf(registry.getTwin('a'))).toMatchObject({ properties: { desired: { x: 1 } } });

  await jobs.scheduleDeviceMethod(
    'call',
    '*',
    { methodName: 'reboot', payload: {}, responseTimeoutInSeconds: 5 },
    new Date(),
    60,
  );
  expect((await ended(jobs, 'call')).deviceJobStatistics).toMatchObject({ deviceCount: 4, failedCount: 4 });
  const rows = await queryAll<{ deviceId: string; error: { code: string } }>(
    registry,
    "SELECT * FROM devices.jobs WHERE devices.jobs.jobId = 'call' AND devices.jobs.status = 'failed'",
  );
  expect(rows.map(({ deviceId, error }) => [deviceId, error.code])).toContainEqual(['a', 'EDGE_METHOD_TARGET_OFFLINE']);

  const query = jobs.createQuery('scheduleUpdateTwin', 'completed' as never, 10);
  const found = ((await query.next()) as unknown as { result: { jobId: string }[] }).result;
  expect(found.map(({ jobId }) => jobId)).toEqual(['up']);
  await expect(jobs.scheduleTwinUpdate('up', '*', { tags: {} })).rejects.toMatchObject({
    name: 'DeviceAlreadyExistsError',
  });
  await expect(jobs.scheduleTwinUpdate('bad', 'tags.x =', { tags: {} })).rejects.toMatchObject({
    name: 'ArgumentError',
  });
});

test('wait for their time, over a restart too, and can be cancelled', async () => {
  const runtime = await startRuntime();
  const jobs = await openJobs(runtime);
  const later = new Date(Date.now() + 3_600_000);
  const condition = `deviceId = '${runtime.deviceId}'`;
  await jobs.scheduleTwinUpdate('one', condition, { tags: { t: 1 } }, later, 60);
  await jobs.scheduleTwinUpdate('two', condition, { tags: { t: 2 } }, later, 60);
  expect((await statusOf(jobs, 'one')).status).toBe('scheduled');
  await jobs.cancelJob('two');
  expect((await statusOf(jobs, 'two')).status).toBe('cancelled');
  await expect(jobs.cancelJob('two')).rejects.toMatchObject({ name: 'ArgumentError' });
  await runtime.stop();
  await runtime.start();
  const again = await openJobs(runtime);
  expect((await statusOf(again, 'one')).status).toBe('scheduled');
  await expect(again.getJob('none')).rejects.toThrow();
});
