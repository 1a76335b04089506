import { describe, expect, test } from '@jest/globals';
import { silentLogger } from '@vantage/observability';
import { EdgeModule } from '../src/index.ts';
import { statusWhere, useHub } from './harness.ts';

const harness = useHub();

describe('the first connection', () => {
  test('is retried until the hub is there, and the reason is the real cause', async () => {
    await harness.hub.stop();
    const module = harness.start();
    const status = await statusWhere(module, ({ attempts }) => attempts >= 2);
    expect(status).toMatchObject({ state: 'connecting', reason: expect.stringMatching(/ECONNREFUSED/) });
    expect(status.reason).not.toContain('Not authorized');
    await harness.hub.start();
    await module.ready();
    expect(module.status).toMatchObject({ state: 'connected', attempts: 0 });
  });

  test.each([3, 5, 2])('survives CONNACK %i', async (code) => {
    harness.hub.faults.connack.push(code, code);
    const module = await harness.connect();
    expect(module.status.state).toBe('connected');
    expect(harness.hub.userNames.length).toBeGreaterThanOrEqual(3);
  });

  test('a hub whose certificate is not trusted is never used, and the reason says so', async () => {
    const module = harness.start({ env: harness.hub.env({ EdgeModuleCACertificateFile: '' }) });
    const status = await statusWhere(module, ({ attempts }) => attempts >= 2);
    expect(status.reason).toMatch(/self.signed|certificate/i);
    expect(harness.hub.userNames).toEqual([]);
  });

  test('product information does not cost the CA', async () => {
    await harness.connect();
    expect(decodeURIComponent(harness.hub.userNames[0]!)).toMatch(
      /^hub\.local\/dev\/mod\/\?api-version=.*azure-iot-device\/.*Vantage/,
    );
  });

  test('one problem is logged once, not at each attempt', async () => {
    await harness.hub.stop();
    const module = harness.start();
    await statusWhere(module, ({ attempts }) => attempts >= 4);
    expect(harness.lines.filter((line) => line.startsWith('<4>'))).toHaveLength(1);
  });

  test.each<[string, NodeJS.ProcessEnv]>([
    ['no variables', {}],
    [
      'no module id',
      {
        IOTEDGE_WORKLOADURI: 'unix:///x',
        IOTEDGE_DEVICEID: 'd',
        IOTEDGE_IOTHUBHOSTNAME: 'h',
        IOTEDGE_AUTHSCHEME: 'sasToken',
        IOTEDGE_MODULEGENERATIONID: '1',
      },
    ],
    ['a connection string without a key', { EdgeHubConnectionString: 'HostName=h;DeviceId=d;ModuleId=m' }],
  ])('with %s fails at once', async (_name, env) => {
    await expect(EdgeModule.connect({ logger: silentLogger, env })).rejects.toMatchObject({
      code: 'EDGE_ENVIRONMENT_INCOMPLETE',
    });
  });

  test('an unreachable workload API is retried', async () => {
    const env = {
      IOTEDGE_WORKLOADURI: 'unix:///nowhere/vantage.sock',
      IOTEDGE_DEVICEID: 'd',
      IOTEDGE_MODULEID: 'm',
      IOTEDGE_IOTHUBHOSTNAME: 'h',
      IOTEDGE_AUTHSCHEME: 'SasToken',
      IOTEDGE_MODULEGENERATIONID: '1',
    };
    const status = await statusWhere(harness.start({ env }), ({ attempts }) => attempts >= 2);
    expect(status.reason).toContain('ENOENT');
    expect(process.env['IOTEDGE_MODULEID']).toBeUndefined();
  });

  test('can be given up', async () => {
    await harness.hub.stop();
    const abort = new AbortController();
    const connecting = EdgeModule.connect({ logger: silentLogger, env: harness.hub.env(), signal: abort.signal });
    abort.abort();
    await expect(connecting).rejects.toMatchObject({ code: 'EDGE_CLOSED' });
  });
});
