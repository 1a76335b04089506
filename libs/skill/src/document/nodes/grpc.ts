import type { CustomNode } from '../../graph.ts';
import type { Fields } from '../fields.ts';
import { readContainer } from './container.ts';
import type { NodeType } from './node-type.ts';

const MEBIBYTE = 1024 * 1024;

/** `grpc_transform`: somebody's code behind an endpoint, or in a container that the deployment brings along. */
export const grpc: NodeType = {
  type: 'transform',
  name: 'grpc_transform',
  label: 'gRPC Custom Processing',
  read(fields, { id }) {
    const form = formOf(fields);
    fields.ignore('instance_name', ...UNUSED[form]);
    const endpoint = form === 'endpoint' ? endpointOf(fields) : containerEndpoint(fields);
    const settings = readSettings(fields);
    return endpoint === undefined ? undefined : { kind: 'node', node: { kind: 'custom', id, endpoint, ...settings } };
  },
};

/** Which half of the form counts. */
export function formOf(fields: Fields): 'endpoint' | 'container' {
  const likely = fields.has('container_image') ? 'container' : 'endpoint';
  return fields.choice('type', ['endpoint', 'container'] as const, likely);
}

/** The form keeps what was typed into its other half. */
const UNUSED = {
  endpoint: [
    'container_name',
    'container_image',
    'create_options',
    'restart_policy',
    'port',
    'route',
    'env',
    'architecture',
    'acceleration',
  ],
  container: ['endpoint_url'],
} as const;

function endpointOf(fields: Fields): string | undefined {
  const endpoint = fields.required('endpoint_url', 'host:port of the node');
  if (endpoint === undefined) return undefined;
  const problem = endpointProblem(endpoint);
  if (problem === undefined) return endpoint;
  fields.error('endpoint_url', `${problem}; write host:port, with an optional scheme and /route, or unix:/path`);
  return undefined;
}

function containerEndpoint(fields: Fields): string | undefined {
  const container = readContainer(fields);
  return container && `${container.name}:${container.port}${container.route}`;
}

/** Our own settings, which other implementations do not have. */
function readSettings(fields: Fields): Omit<CustomNode, 'kind' | 'id' | 'endpoint'> {
  const size = fields.text('downscale');
  const parts = size === undefined ? undefined : /^(\d{2,5})\s*[x×]\s*(\d{2,5})$/i.exec(size);
  if (size !== undefined && !parts) fields.error('downscale', 'expected a size such as 1280x720');
  const caFile = fields.text('ca_file');
  const tls = fields.flag('tls', caFile !== undefined);
  const token = fields.text('token');
  return {
    deadlineMs: fields.whole('deadline_ms', 5000, { min: 10, max: 600_000 }),
    inFlight: fields.whole('in_flight', 1, { min: 1, max: 64 }),
    onFailure: fields.choice('on_failure', ['pass', 'drop'] as const, 'pass'),
    merge: fields.choice('merge', ['append', 'replace'] as const, 'append'),
    maxMessageBytes: fields.whole('max_message_bytes', 64 * MEBIBYTE, { min: 1024, max: 512 * MEBIBYTE }),
    ...(parts ? { downscale: { width: Number(parts[1]), height: Number(parts[2]) } } : {}),
    ...(tls ? { tls: caFile === undefined ? {} : { caFile } } : {}),
    ...(token === undefined ? {} : { token }),
    sharedMemory: fields.choice('shared_memory', ['auto', 'off'] as const, 'auto'),
  };
}

/**
 * What is wrong with an endpoint (contract A, "Endpoint string"), or undefined. The client of `@vantage/custom-node` reads
 * the same forms; importing it here would bring gRPC into every thread that looks at a graph.
 */
export function endpointProblem(endpoint: string): string | undefined {
  if (endpoint.length > 2048) return 'is too long';
  if (/[\s\p{Cc}]/u.test(endpoint)) return 'holds a blank or a control character';
  if (/^unix:/.test(endpoint)) return /^unix:(\/\/(?=\/))?[^/]*\/?./.test(endpoint) ? undefined : 'names no socket';
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(endpoint)?.[1]?.toLowerCase();
  if (scheme !== undefined && !SCHEMES.has(scheme)) return `has the unknown scheme "${scheme.slice(0, 20)}"`;
  const rest = endpoint.replace(/^[a-z][a-z0-9+.-]*:\/\/\/?/i, '').replace(/^(dns|ipv4|ipv6):(?!\d{1,6}(\/|$))/i, '');
  const authority = rest.split('/')[0] ?? '';
  if (authority.includes('@')) return 'holds credentials; use token instead';
  const port = /^(?:\[[0-9a-f:.%]+\]|[^:[\]?#]+):(\d{1,6})$/i.exec(authority)?.[1];
  if (port === undefined) return authority.includes(':') ? 'is not host:port' : 'has no port';
  return Number(port) >= 1 && Number(port) <= 65_535 ? undefined : `has the port ${port}; ports are 1 to 65535`;
}

const SCHEMES = new Set(['http', 'https', 'grpc', 'grpcs', 'dns', 'ipv4', 'ipv6']);
