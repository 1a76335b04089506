import type { ExportTarget } from '../../graph.ts';
import type { Fields } from '../fields.ts';
import type { NodeType, ReadNode } from './node-type.ts';

/** Delay of the reference's runtime where the document has none, seconds. */
const DELAY_SECONDS = 6;
const BROKER = 'mqtt.default.svc.cluster.local:1883';
const TOPIC = 'mqttmessage';
/** Outputs of the module, which routes name (contract D). */
const OUTPUT = { iotHub: 'metrics', iotEdge: 'localmetrics' } as const;

export const iotHub: NodeType = {
  type: 'export',
  name: 'iothub_export',
  label: 'Send Insights to IoT Hub',
  read: (fields, { id }) => delayed(fields, id, { kind: 'output', output: OUTPUT.iotHub }),
};

export const iotEdge: NodeType = {
  type: 'export',
  name: 'iotedge_export',
  label: 'Send Insights to IoT Edge Module',
  read(fields, { id }) {
    const module = fields.required('module_name', 'the module that the insights go to');
    const input = fields.required('module_input', 'the input of that module');
    for (const [key, value] of Object.entries({ module_name: module, module_input: input })) {
      if (value !== undefined && !/^[\w.-]{1,128}$/.test(value))
        fields.error(key, 'expected letters, digits, ., - and _');
    }
    const delay = readDelay(fields);
    if (module === undefined || input === undefined) return undefined;
    return exportNode(id, { kind: 'output', output: OUTPUT.iotEdge, brokered: { module, input } }, delay);
  },
};

export const mqtt: NodeType = {
  type: 'export',
  name: 'mqtt_export',
  label: 'Send Insights to MQTT Endpoint',
  read(fields, { id }) {
    const broker = fields.text('broker_address') ?? BROKER;
    const problem = brokerProblem(broker);
    if (problem !== undefined) fields.error('broker_address', `${problem}; write host:port`);
    return delayed(fields, id, { kind: 'mqtt', broker, topic: TOPIC });
  },
};

export const http: NodeType = {
  type: 'export',
  name: 'http_export',
  label: 'Send Insights to HTTP Endpoint',
  read(fields, { id }) {
    const url = fields.required('url', 'the address that the insights are posted to');
    const doubleEncoded = fields.flag('double_encoded', false);
    const delay = fields.has('delay_buffer') ? readDelay(fields) : undefined;
    if (url === undefined) return undefined;
    const parsed = /^https?:\/\//i.test(url) && !/\s/.test(url) && URL.canParse(url) ? new URL(url) : undefined;
    if (!parsed || parsed.port === '0') {
      fields.error('url', 'expected an http:// or https:// address');
      return undefined;
    }
    return exportNode(id, { kind: 'http', url, doubleEncoded }, delay);
  },
};

export const snippet: NodeType = {
  type: 'export',
  name: 'video_snippet_export',
  label: 'Export Video Snippet',
  read(fields, { id }, { instance, skill, camera }) {
    const prefix = fields.required('filename_prefix', 'the beginning of the file names');
    if (prefix !== undefined && !isFileName(prefix)) {
      fields.error('filename_prefix', 'cannot be part of a file name; leave out / \\ and control characters');
    }
    const durationSeconds = fields.number('recording_duration', 1, { min: 1, max: 600 }, 'seconds');
    const everyMinutes = fields.number('delay_buffer', 1, { min: 0, max: 1440 }, 'minutes');
    const overlay = fields.flag('insights_overlay', true);
    const device = folder(fields, 'device_displayname', camera);
    const place = {
      instance: folder(fields, 'instance_displayname', instance),
      skill: folder(fields, 'skill_displayname', skill),
    };
    if (prefix === undefined) return undefined;
    return {
      kind: 'node',
      // What the camera is called anyway needs no saying, so that cameras share a graph.
      node: {
        kind: 'snippet',
        id,
        prefix,
        durationSeconds,
        everyMinutes,
        overlay,
        ...place,
        ...(device === camera ? {} : { device }),
      },
    };
  },
};

/** A debug window of the reference's runtime. */
export const window: NodeType = {
  type: 'export',
  name: 'cv2_imshow_export',
  label: 'Show in a window',
  read(fields) {
    fields.warn('', 'there is no screen to show a window on; the node does nothing');
    return undefined;
  },
};

function delayed(fields: Fields, id: string, to: ExportTarget): ReadNode {
  return exportNode(id, to, readDelay(fields));
}

function readDelay(fields: Fields): number {
  return fields.number('delay_buffer', DELAY_SECONDS, { min: 0, max: 86_400 }, 'seconds');
}

function exportNode(id: string, to: ExportTarget, everySeconds: number | undefined): ReadNode {
  return { kind: 'node', node: { kind: 'export', id, to, ...(everySeconds === undefined ? {} : { everySeconds }) } };
}

/** One folder of a blob's name; `invalid` is what documents have where a parameter was not set. */
function folder(fields: Fields, key: string, fallback: string): string {
  const name = fields.text(key);
  if (name === undefined || name === 'invalid') return fallback;
  if (isFileName(name)) return name;
  fields.error(key, 'cannot be the name of a folder; leave out / \\ and control characters');
  return fallback;
}

function isFileName(name: string): boolean {
  return name.length <= 128 && !/[/\\\p{Cc}]/u.test(name) && !/^\.+$/.test(name);
}

function brokerProblem(broker: string): string | undefined {
  const port = /^(?:mqtts?:\/\/)?(?:\[[0-9a-f:.]+\]|[^\s:/?#@[\]]+):(\d{1,6})$/i.exec(broker)?.[1];
  if (port === undefined) return 'is not host:port';
  return Number(port) >= 1 && Number(port) <= 65_535 ? undefined : `has the port ${port}; ports are 1 to 65535`;
}
