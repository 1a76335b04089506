import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import iothub from 'azure-iothub';
import type { EdgeRuntime } from '../src/index.ts';
import { createSasToken } from '../src/hub/sas.ts';
import { after } from './harness.ts';

/** What the promises of `azure-iothub` really resolve to; its types say something else. */
export async function bodyOf<T>(answer: Promise<unknown>): Promise<T> {
  return ((await answer) as { responseBody: T }).responseBody;
}

export async function agentOf(runtime: EdgeRuntime): Promise<Agent> {
  const agent = new Agent({ host: '127.0.0.1', port: runtime.ports.api, ca: await readFile(runtime.caFile) });
  after(() => {
    agent.destroy();
  });
  return agent;
}

/** Points an unmodified client of `azure-iothub` at the runtime, as contract section E.1 says. */
export async function pointed<T>(client: T, runtime: EdgeRuntime): Promise<T> {
  const { _restApiClient } = client as { _restApiClient: { setOptions(options: object): void } };
  _restApiClient.setOptions({ http: { agent: await agentOf(runtime) } });
  return client;
}

export const openJobs = (runtime: EdgeRuntime): Promise<iothub.JobClient> =>
  pointed(iothub.JobClient.fromConnectionString(runtime.serviceConnectionString), runtime);

/** All results of a query, page by page. */
export async function queryAll<T>(registry: iothub.Registry, text: string, pageSize?: number): Promise<T[]> {
  const query = registry.createQuery(text, pageSize);
  const all: T[] = [];
  while (query.hasMoreResults) all.push(...((await query.next()) as unknown as { result: T[] }).result);
  return all;
}

export interface RawAnswer {
  readonly status: number;
  readonly errorCode: string | undefined;
  readonly body: Record<string, unknown>;
}

/** A request as no SDK would send it. */
export async function raw(
  runtime: EdgeRuntime,
  method: string,
  path: string,
  options: { token?: string; body?: string | Buffer; headers?: Record<string, string> } = {},
): Promise<RawAnswer> {
  const agent = await agentOf(runtime);
  const authorization = options.token ?? serviceToken(runtime.serviceConnectionString);
  return new Promise((resolve, reject) => {
    const call = request({ method, path, agent, headers: { authorization, ...options.headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const errorCode = response.headers['iothub-errorcode'];
        resolve({
          status: response.statusCode ?? 0,
          errorCode: typeof errorCode === 'string' ? errorCode : undefined,
          body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
        });
      });
    });
    call.on('error', reject);
    call.end(options.body);
  });
}

/** A token of the policy of a connection string. */
export function serviceToken(connectionString: string, expirySec = Math.floor(Date.now() / 1000) + 600): string {
  const fields = new Map(
    connectionString.split(';').map((part) => {
      const at = part.indexOf('=');
      return [part.slice(0, at), part.slice(at + 1)];
    }),
  );
  const field = (name: string): string => fields.get(name) ?? '';
  return createSasToken(field('HostName'), field('SharedAccessKey'), expirySec, field('SharedAccessKeyName'));
}
