/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call -- bodies are read as a consumer gets them */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { INPUTS, OUTPUTS } from '@vantage/contracts';
import { FakeEdgeModule } from '@vantage/edge-client';
import { createLogger } from '@vantage/observability';
import { BusinessLogic } from './business-logic.ts';
import { loadDecision, type Decide } from './load-decision.ts';

const components = (change: Record<string, unknown> = {}) => ({
  sensors: [
    {
      name: 'cam1',
      endpoint: 'rtsp://h/1',
      regionsOfInterest: [
        {
          label: 'door',
          color: '#ff0000',
          coordinates: [
            [0, 0],
            [1, 0],
            [1, 1],
            [0, 1],
          ],
        },
      ],
    },
  ],
  deepStream: { pipelineConfigs: [{ id: 'P' }, { id: 'Q' }], streams: [{ name: 'cam1', configId: 'P' }] },
  ...change,
});

const inference = (...labels: string[]) => ({
  schemaVersion: '0.1',
  events: [],
  regionsOfInterest: [],
  inferences: [
    {
      sourceInfo: { id: 'cam1', timestamp: 't', width: 1, height: 1, frameId: 0 },
      type: 'detection',
      id: 'P',
      detections: labels.map((label) => ({
        classId: 0,
        confidence: 1,
        label,
        rect: [0.25, 0.25, 0.5, 0.5],
        id: 'd',
        unique_component_id: 1,
        tracking_id: -1,
      })),
    },
  ],
});

async function run(desired: Record<string, unknown> = {}, decide?: Decide) {
  const edge = new FakeEdgeModule({ desired });
  const lines: string[] = [];
  const logger = createLogger({ module: 'test', destination: { write: (line) => void lines.push(line) } });
  await new BusinessLogic({ edge, logger, decide: decide ?? (await loadDecision(undefined)) }).start();
  const recording = () => edge.sentTo(OUTPUTS.recording) as any[];
  const statuses = () => edge.sentTo(OUTPUTS.configurationStatus) as any[];
  let asked = 1;
  const configure = async (body: unknown, reason = 'changed') => {
    edge.deliver(INPUTS.regionsOfInterest, body, {
      properties: { configurationVersion: '7', configurationReason: reason },
    });
    asked += 1;
    await edge.waitFor(() => statuses().length === asked);
  };
  await edge.waitFor(() => edge.twin.reported['twin'] !== undefined);
  return { edge, lines, logger, recording, statuses, configure };
}

describe('messages', () => {
  test('a region and a person become one start and one stop on recordingOutput (C.4)', async () => {
    const { edge, recording, configure } = await run();
    await configure(components());
    for (const labels of [[], ['person'], ['person'], []]) edge.deliver(INPUTS.inference, inference(...labels));
    await edge.waitFor(() => recording().length === 2);
    expect(recording()).toEqual([
      {
        startRecording: [{ configId: 'P', state: true }],
        reason: [{ sensor: 'cam1', region: 'door', label: 'person', count: 1 }],
      },
      { startRecording: [{ configId: 'P', state: false }] },
    ]);
  });

  test('the configuration is asked for at start and confirmed with its version', async () => {
    const { statuses, configure, logger } = await run();
    await configure(components({ logLevel: 'error' }));
    expect(statuses()).toEqual([
      { module: 'BusinessLogicModule', configurationVersion: null, status: 'starting', errors: [] },
      { module: 'BusinessLogicModule', configurationVersion: 7, status: 'applied', errors: [] },
    ]);
    expect(logger.level).toBe('error');
  });

  test('a body that is no configuration is rejected, the regions stay', async () => {
    const { edge, recording, statuses, configure } = await run();
    await configure(components());
    await configure('garbage {');
    await configure('[]');
    expect(statuses().map((status) => status.status)).toEqual(['starting', 'applied', 'rejected', 'rejected']);
    edge.deliver(INPUTS.inference, 'garbage');
    edge.deliver(INPUTS.inference, { inferences: [{ type: 'detection' }, 5] });
    edge.deliver(INPUTS.inference, inference('person'));
    await edge.waitFor(() => recording().length === 1);
  });

  test('a bad region is left out and reported, the good one counts', async () => {
    const body = components();
    (body.sensors[0]!.regionsOfInterest as unknown[]).unshift({
      label: 'line',
      coordinates: [
        [0, 0],
        [1, 1],
      ],
    });
    const { edge, recording, statuses, configure } = await run();
    await configure(body);
    expect(statuses()[1]).toMatchObject({
      status: 'applied-with-errors',
      errors: [{ path: 'components.sensors[0].regionsOfInterest[0].coordinates' }],
    });
    edge.deliver(INPUTS.inference, inference('person'));
    await edge.waitFor(() => recording().length === 1);
    expect(recording()[0].reason).toHaveLength(1);
  });

  test.each([
    [['Cat'], 'cat', []],
    [undefined, 'person', []],
    ['cat', 'person', ['components.businessLogicConfig.objectsToMonitor']],
  ])('businessLogicConfig.objectsToMonitor %j: %s counts', async (objectsToMonitor, label, errors) => {
    const { edge, recording, statuses, configure } = await run();
    await configure(components({ businessLogicConfig: { objectsToMonitor, mine: 1 } }));
    expect(statuses()[1].errors.map((issue: { path: string }) => issue.path)).toEqual(errors);
    edge.deliver(INPUTS.inference, inference('dog', label));
    await edge.waitFor(() => recording().length === 1);
    expect(recording()[0].reason).toEqual([{ sensor: 'cam1', region: 'door', label, count: 1 }]);
  });
});

describe('recording by hand (B.4, scenario 26)', () => {
  const P = { configId: 'P', state: true };
  const Q = { configId: 'Q', state: true };

  test('the twin is forwarded at start and at each patch that names it, also with the same value', async () => {
    const { edge, recording } = await run({ startRecording: [P, { configId: 'Nowhere', state: true }] });
    expect(recording()).toEqual([{ startRecording: [P, { configId: 'Nowhere', state: true }] }]);
    edge.patchDesired({ startRecording: [{ configId: 'P', state: false }] });
    await edge.waitFor(() => recording().length === 2);
    edge.patchDesired({ startRecording: [{ configId: 'P', state: false }] });
    await edge.waitFor(() => recording().length === 3);
    expect(recording().slice(1)).toEqual(Array(2).fill({ startRecording: [{ configId: 'P', state: false }] }));
  });

  test('bad items are left out and reported', async () => {
    const { edge, recording } = await run({ startRecording: [{ configId: 'P' }, Q] });
    expect(recording()).toEqual([{ startRecording: [Q] }]);
    expect(edge.twin.reported['twin']).toMatchObject({ errors: [{ path: 'startRecording[0].state' }] });
  });

  test('is said again to pipelines that may not have heard it, and only to those', async () => {
    const { recording, configure } = await run({ startRecording: [P, Q] });
    await configure(components(), 'changed');
    expect(recording().slice(1)).toEqual([{ startRecording: [P] }]);
    await configure(components(), 'changed');
    expect(recording()).toHaveLength(2);
    const streams = [
      { name: 'cam1', configId: 'P' },
      { name: 'cam2', configId: 'Q' },
    ];
    await configure(components({ deepStream: { streams } }), 'changed');
    expect(recording().slice(2)).toEqual([{ startRecording: [Q] }]);
    await configure(components({ deepStream: { streams } }), 'requested');
    expect(recording().slice(3)).toEqual([{ startRecording: [P, Q] }]);
  });
});

describe('logic of the user', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'vantage-decide-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('an error in it is logged, the state before it stays', async () => {
    let calls = 0;
    const decide: Decide = (state, input) => {
      calls += 1;
      if (calls === 2) throw new Error('boom');
      return {
        state: [...((state as string[] | undefined) ?? []), input.kind],
        commands: [{ startRecording: [{ configId: String(state), state: true }] }],
      };
    };
    const { edge, lines, recording } = await run({}, decide);
    for (let index = 0; index < 3; index += 1) edge.deliver(INPUTS.inference, inference());
    await edge.waitFor(() => recording().length === 2);
    expect(recording().map((command) => command.startRecording[0].configId)).toEqual(['undefined', 'inference']);
    expect(lines.join('')).toContain('the decision logic failed: boom');
  });

  test('BUSINESS_LOGIC_FILE takes the place of decide.ts', async () => {
    const file = path.join(folder, 'mine.mjs');
    writeFileSync(file, 'export const decide = (state) => ({ state, commands: [{ startRecording: [] }] });');
    expect((await loadDecision(file))(3, { kind: 'inference', message: inference() as never })).toEqual({
      state: 3,
      commands: [{ startRecording: [] }],
    });
  });

  test('the example of the README does what it says', async () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const file = path.join(folder, 'example.mjs');
    const code = /```ts\n([^]*?)```/.exec(readme)?.[1]?.replace(/state: Record<string, boolean>/, 'state') ?? '';
    writeFileSync(file, code);
    const { edge, recording, configure } = await run({}, await loadDecision(file));
    await configure(components());
    for (const labels of [[], ['cat'], ['cat'], []]) edge.deliver(INPUTS.inference, inference(...labels));
    await edge.waitFor(() => recording().length === 2);
    expect(recording().map((command) => command.startRecording[0])).toEqual([
      { configId: 'P', state: true },
      { configId: 'P', state: false },
    ]);
  });

  test.each([
    ['absent.mjs', undefined],
    ['nothing.mjs', 'export const other = 1;'],
    ['broken.mjs', 'export const decide = '],
  ])('%s is refused with a reason', async (name, text) => {
    const file = path.join(folder, name);
    if (text !== undefined) writeFileSync(file, text);
    await expect(loadDecision(file)).rejects.toMatchObject({ code: 'DECISION_FILE_INVALID' });
  });
});
