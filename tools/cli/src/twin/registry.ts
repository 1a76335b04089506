import { readFile } from 'node:fs/promises';
import https from 'node:https';
import iothub from 'azure-iothub';
import { VantageError, messageOf } from '@vantage/contracts';
import type { LocalConnection } from '../connection.ts';

export interface ModuleTwin {
  readonly etag: string;
  readonly properties: {
    readonly desired: Readonly<Record<string, unknown>>;
    readonly reported: Readonly<Record<string, unknown>>;
  };
}

/** The part of `azure-iothub`'s Registry that the command line uses; its own types leave these as `any`. */
interface TwinCalls {
  getModuleTwin(deviceId: string, moduleId: string): Promise<{ responseBody: ModuleTwin }>;
  updateModuleTwin(
    deviceId: string,
    moduleId: string,
    patch: object,
    etag: string,
  ): Promise<{ responseBody: ModuleTwin }>;
  /** Private in the SDK, and the one way to a port other than 443 (it always calls https on the default one). */
  _restApiClient: { setOptions(options: { http: { agent: https.Agent } }): void };
}

/** The unmodified Azure service client, pointed at the local runtime. */
export class LocalRegistry {
  readonly #calls: TwinCalls;
  readonly #deviceId: string;

  private constructor(calls: TwinCalls, deviceId: string) {
    this.#calls = calls;
    this.#deviceId = deviceId;
  }

  static async open(connection: LocalConnection): Promise<LocalRegistry> {
    const calls = iothub.Registry.fromConnectionString(connection.serviceConnectionString) as unknown as TwinCalls;
    const agent = new https.Agent({
      host: '127.0.0.1',
      port: connection.apiPort,
      ca: await readFile(connection.caFile),
    });
    calls._restApiClient.setOptions({ http: { agent } });
    return new LocalRegistry(calls, connection.deviceId);
  }

  get(moduleId: string): Promise<ModuleTwin> {
    return this.#call(moduleId, () => this.#calls.getModuleTwin(this.#deviceId, moduleId));
  }

  patch(moduleId: string, desired: Readonly<Record<string, unknown>>, etag = '*'): Promise<ModuleTwin> {
    const patch = { properties: { desired } };
    return this.#call(moduleId, () => this.#calls.updateModuleTwin(this.#deviceId, moduleId, patch, etag));
  }

  async #call(moduleId: string, call: () => Promise<{ responseBody: ModuleTwin }>): Promise<ModuleTwin> {
    try {
      return (await call()).responseBody;
    } catch (error) {
      const text = messageOf(error);
      if (/ECONNREFUSED/.test(text)) {
        throw new VantageError(
          'RUNTIME_NOT_RUNNING',
          'the local runtime does not answer; is "vantage up" still running?',
        );
      }
      throw new VantageError('TWIN_CALL_FAILED', `the twin of ${moduleId}: ${text}`, { cause: error });
    }
  }
}
