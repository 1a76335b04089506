/* eslint-disable @typescript-eslint/no-explicit-any -- tests write what types forbid */
import { validateConfiguration } from '../src/index.ts';

export const SQUARE = [
  [0.1, 0.1],
  [0.9, 0.1],
  [0.9, 0.9],
  [0.1, 0.9],
];

/** A configuration that runs; tests change one thing each. */
export function good() {
  return {
    platform: 'DeepStream',
    components: {
      logLevel: 'information',
      sensors: [
        {
          name: 'cam1',
          kind: { type: 'vision', subtype: 'RTSP' },
          endpoint: 'rtsp://host/1',
          regionsOfInterest: [{ label: 'door', color: '#00ff00', coordinates: SQUARE }],
        },
        { name: 'cam2', kind: { type: 'vision', subtype: 'FILE' }, endpoint: 'file:///v.mp4' },
      ],
      deepStream: {
        enable: true,
        pipelineConfigs: [{ id: 'People', primaryModelConfigPath: 'p.txt' }],
        streams: [
          { name: 'cam1', uname: '', password: '', configId: 'People' },
          { name: 'cam2', configId: 'People' },
        ],
      },
    },
  };
}

type Twin = ReturnType<typeof good>;
/** The twin with `change` applied: tests write what types forbid. */
export function changed(change: (components: any, twin: any) => void): unknown {
  const twin: Twin = good();
  change(twin.components, twin);
  return twin;
}
export const found = (input: unknown) => {
  const result = validateConfiguration(input);
  return {
    errors: result.errors.map((issue) => issue.path),
    warnings: result.warnings.map((issue) => issue.path),
    streams: result.components?.streams.map((stream) => stream.name),
    result,
  };
};
