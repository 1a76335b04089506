import { expect, test } from '@jest/globals';
import { FakeEdgeModule } from './fake-edge-module.ts';

test('FakeEdgeModule plays twin, inputs, outputs, methods and reports', async () => {
  const edge = new FakeEdgeModule({ desired: { factor: 2, list: [1, 2] } });
  edge.onDesired((desired) => void edge.report({ list: desired['list'], password: 'x' }));
  edge.onInput('in', (message) =>
    edge.send('out', { n: (message.json() as { n: number }).n * (edge.twin.desired['factor'] as number) }),
  );
  edge.onMethod('ping', () => ({ status: 200 }));
  edge.patchDesired({ list: [9] });
  await edge.waitFor(() => edge.reports.length === 1);
  edge.deliver('in', { n: 21 });
  await edge.waitFor(() => edge.sent.length === 1);
  expect(edge.sentTo('out')).toEqual([{ n: 42 }]);
  expect(edge.twin).toMatchObject({
    desired: { list: [9] },
    desiredVersion: 2,
    reported: { list: [9], password: '***' },
  });
  expect(await edge.invoke('ping')).toEqual({ status: 200 });
  expect(await edge.invoke('pong')).toEqual({ status: 404 });
  await edge.close();
  await expect(edge.send('out', 1)).rejects.toMatchObject({ code: 'EDGE_CLOSED' });
});
