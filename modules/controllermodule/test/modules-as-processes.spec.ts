/* eslint-disable @typescript-eslint/no-explicit-any -- bodies are read as a consumer gets them */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { INPUTS, MODULES, OUTPUTS, ROUTES } from '@vantage/contracts';
import { EdgeModule, type InputMessage } from '@vantage/edge-client';
import { EdgeRuntime } from '@vantage/local-edge';
import { preloads, silentLogger } from '@vantage/observability';

/**
 * The two modules as processes on an edge runtime, this test in the place of the ai-pipeline: every message takes the way
 * it takes on a device.
 */
const modules = fileURLToPath(new URL('../../', import.meta.url));

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const COMPONENTS = {
  sensors: [
    {
      name: 'cam1',
      endpoint: 'rtsp://host/1',
      regionsOfInterest: [
        {
          label: 'door',
          color: '#ff0000',
          coordinates: [
            [0, 0],
            [1, 0],
            [1, 1],
          ],
        },
      ],
    },
  ],
  deepStream: {
    enable: true,
    pipelineConfigs: [{ id: 'P', primaryModelConfigPath: 'p.txt' }],
    streams: [{ name: 'cam1', uname: '', password: '', configId: 'P' }],
  },
};

function deployment(stateDir: string) {
  const module = (name: string) => ({
    type: 'docker',
    status: 'running',
    restartPolicy: 'always',
    settings: { image: name, createOptions: '{}' },
    env: { VANTAGE_STATE_DIR: { value: stateDir } },
  });
  return {
    modulesContent: {
      $edgeAgent: {
        'properties.desired': {
          schemaVersion: '1.1',
          runtime: { type: 'docker', settings: {} },
          systemModules: {
            edgeAgent: { type: 'docker', settings: { image: 'a', createOptions: '{}' } },
            edgeHub: {
              type: 'docker',
              status: 'running',
              restartPolicy: 'always',
              settings: { image: 'h', createOptions: '{}' },
            },
          },
          modules: {
            [MODULES.controller]: module(MODULES.controller),
            [MODULES.businessLogic]: module(MODULES.businessLogic),
          },
        },
      },
      $edgeHub: {
        'properties.desired': {
          schemaVersion: '1.1',
          routes: ROUTES,
          storeAndForwardConfiguration: { timeToLiveSecs: 7200 },
        },
      },
      [MODULES.controller]: {
        'properties.desired': { azdaConfiguration: { platform: 'DeepStream', components: COMPONENTS } },
      },
      [MODULES.businessLogic]: { 'properties.desired': { startRecording: [{ configId: 'P', state: false }] } },
    },
  };
}

const inference = {
  schemaVersion: '0.1',
  events: [],
  regionsOfInterest: [],
  inferences: [
    {
      sourceInfo: { id: 'cam1', timestamp: '2026-01-01T00:00:00Z', width: 1280, height: 720, frameId: 0 },
      type: 'detection',
      id: 'P',
      detections: [
        {
          classId: 0,
          confidence: 0.9,
          label: 'person',
          rect: [0.5, 0.2, 0.1, 0.1],
          id: 'd',
          unique_component_id: 1,
          tracking_id: -1,
        },
      ],
    },
  ],
};

/** Messages of one input as they come, to be awaited one by one. */
function inbox(edge: EdgeModule, input: string) {
  const waiting: InputMessage[] = [];
  let wake: () => void = () => undefined;
  edge.onInput(input, (message) => {
    waiting.push(message);
    wake();
  });
  return async (fits: (body: any, message: InputMessage) => boolean): Promise<any> => {
    for (;;) {
      for (let message = waiting.shift(); message !== undefined; message = waiting.shift()) {
        const body: unknown = message.json();
        if (fits(body, message)) return body;
      }
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
}

test('configuration, confirmation, decision; a killed consumer is told again; a bad edit and a restart change nothing', async () => {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'vantage-modules-'));
  cleanups.push(() => rmSync(stateDir, { recursive: true, force: true }));
  const runtime = new EdgeRuntime({
    stateDir: path.join(stateDir, 'edge'),
    restartTiming: { coolOffUnitMs: 50 },
    resolveImage: (_image, moduleId) => ({
      command: process.execPath,
      args: ['--disable-warning=ExperimentalWarning', ...preloads(), 'src/main.ts'],
      cwd: path.join(modules, moduleId),
      env: { VANTAGE_METRICS_PORT: 'off' },
    }),
  });
  cleanups.push(() => runtime.stop());
  const lines: string[] = [];
  runtime.on('log', ({ id, line }) => void lines.push(`${id} ${line}`));
  await runtime.start();

  const aiPipeline = await EdgeModule.connect({
    logger: silentLogger,
    env: await runtime.moduleEnvironment(MODULES.aiPipeline),
  });
  cleanups.push(() => aiPipeline.close());
  const configuration = inbox(aiPipeline, INPUTS.controller);
  const recording = inbox(aiPipeline, INPUTS.recording);
  await runtime.applyDeployment(deployment(stateDir));

  expect(await configuration(() => true)).toEqual(COMPONENTS);
  expect(await recording(() => true)).toEqual({ startRecording: [{ configId: 'P', state: false }] });
  const twinIs = async (fits: (reported: any) => boolean) => {
    while (!fits(runtime.twin(MODULES.controller).reported))
      await new Promise((resolve) => runtime.once('twin', resolve));
  };
  await twinIs(
    (reported) =>
      reported.modules?.BusinessLogicModule?.status === 'applied' && reported.configuration?.status === 'applied',
  );

  await aiPipeline.send(OUTPUTS.inference, inference);
  const start = {
    startRecording: [{ configId: 'P', state: true }],
    reason: [{ sensor: 'cam1', region: 'door', label: 'person', count: 1 }],
  };
  expect(await recording((body) => body.reason !== undefined)).toEqual(start);

  const pids = new Map<string, number>();
  const running = (id: string, before: number | undefined) =>
    new Promise<number>((resolve) => {
      runtime.on('module', (event) => {
        if (event.id === id && event.status === 'running' && event.pid !== undefined && event.pid !== before)
          resolve(event.pid);
      });
    });
  for (const line of lines) {
    const match = /^(\S+) .*module starts .*"pid":(\d+)/.exec(line);
    if (match) pids.set(match[1]!, Number(match[2]));
  }

  // Queued messages of before its end reach it first: what counts is that it has asked and was told.
  const toldAgain = new Promise<void>((resolve) => {
    let asked = false;
    runtime.on('message', ({ moduleId, output, body }) => {
      if (moduleId !== MODULES.businessLogic || output !== OUTPUTS.configurationStatus) return;
      const { status } = JSON.parse(body) as { status: string };
      if (status === 'starting') asked = true;
      else if (asked) resolve();
    });
  });
  const businessLogicAgain = running(MODULES.businessLogic, pids.get(MODULES.businessLogic));
  process.kill(pids.get(MODULES.businessLogic)!, 'SIGKILL');
  await businessLogicAgain;
  await toldAgain;
  await aiPipeline.send(OUTPUTS.inference, inference);
  expect(await recording((body) => body.reason !== undefined)).toEqual(start);

  const { version } = runtime.twin(MODULES.controller).reported['configuration'] as { version: number };
  await runtime.patchDesired(MODULES.controller, { azdaConfiguration: { components: { sensors: [] } } });
  await twinIs((reported) => reported.configuration?.status === 'rejected');
  expect(runtime.twin(MODULES.controller).reported['configuration']).toMatchObject({
    version: version + 1,
    activeVersion: version,
  });
  const controllerAgain = running(MODULES.controller, pids.get(MODULES.controller));
  process.kill(pids.get(MODULES.controller)!, 'SIGKILL');
  await controllerAgain;
  expect(await configuration((_body, { properties }) => properties['configurationReason'] === 'started')).toEqual(
    COMPONENTS,
  );
}, 90_000);
