import type https from 'node:https';
import { VantageError, codeOf, mergeTwin, messageOf, twinEquals } from '@vantage/contracts';
import { Backoff } from '@vantage/observability';

export interface Twin {
  readonly deviceId: string;
  readonly moduleId?: string;
  readonly etag: string;
  readonly tags?: Readonly<Record<string, unknown>>;
  readonly properties: {
    readonly desired: Readonly<Record<string, unknown>> & { readonly $version?: number };
    readonly reported: Readonly<Record<string, unknown>>;
  };
}

export type ModulesContent = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** An automatic deployment. */
export interface HubConfiguration {
  readonly id: string;
  readonly content: { readonly modulesContent: ModulesContent };
  readonly targetCondition: string;
  readonly priority: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly metrics?: {
    readonly queries: Readonly<Record<string, string>>;
    readonly results?: Readonly<Record<string, number>>;
  };
  readonly systemMetrics?: { readonly results?: Readonly<Record<string, number>> };
  readonly etag?: string;
  readonly createdTimeUtc?: string;
}

interface Answer<T> {
  readonly responseBody: T;
}

/** What we use of `azure-iothub`'s Registry; its own types leave these as `any`. */
export interface RegistryCalls {
  getModuleTwin(device: string, module: string): Promise<Answer<Twin>>;
  updateModuleTwin(device: string, module: string, patch: object, etag: string): Promise<Answer<Twin>>;
  applyConfigurationContentOnDevice(
    device: string,
    content: { modulesContent: ModulesContent },
  ): Promise<Answer<unknown>>;
  addConfiguration(configuration: object): Promise<Answer<HubConfiguration>>;
  updateConfiguration(configuration: object, force: boolean): Promise<Answer<HubConfiguration>>;
  getConfigurations(): Promise<Answer<HubConfiguration[]>>;
  removeConfiguration(id: string): Promise<Answer<unknown>>;
  createQuery(sql: string, pageSize: number): { hasMoreResults: boolean; next(): Promise<{ result: unknown[] }> };
  _restApiClient: { setOptions(options: { http: { agent: https.Agent } }): void };
}

/** What we use of `azure-iothub`'s Client. */
export interface MethodCalls {
  invokeDeviceMethod(
    device: string,
    module: string,
    method: { methodName: string; payload: unknown; responseTimeoutInSeconds: number; connectTimeoutInSeconds: number },
  ): Promise<{ readonly result: MethodAnswer }>;
}

/** What a module answered to a direct method. */
export interface MethodAnswer {
  /** As HTTP: 200 is good. */
  readonly status: number;
  readonly payload: unknown;
}

/** Throttled or out of order for a moment: asked again, a few times. */
const PASSING = /ThrottlingError|ServiceUnavailableError|InternalServerError|ECONNRESET|hang up|ETIMEDOUT|EAI_AGAIN/;
const ATTEMPTS = 5;
const ANSWER_MS = 30_000;
const MAX_ROWS = 10_000;

/** A hub as an operator sees it, through the unmodified Azure service client. */
export class Hub {
  /** `local`, or the IoT Hub's host name. */
  readonly name: string;
  /** Tells it apart from other hubs of this user, also from other local runtimes. */
  readonly key: string;
  readonly #calls: RegistryCalls;
  readonly #device: string | undefined;
  readonly #methods: () => MethodCalls | Promise<MethodCalls>;
  #methodCalls: MethodCalls | undefined;

  /** @param methods makes the client for direct methods when the first is called */
  constructor(
    calls: RegistryCalls,
    name: string,
    device: string | undefined,
    methods: () => MethodCalls | Promise<MethodCalls>,
    key: string = name,
  ) {
    this.#calls = calls;
    this.#methods = methods;
    this.name = name;
    this.key = key;
    this.#device = device;
  }

  /** @throws VantageError DEVICE_UNKNOWN */
  get device(): string {
    if (this.#device !== undefined) return this.#device;
    throw new VantageError('DEVICE_UNKNOWN', `which device of ${this.name}? Name it by --device or VANTAGE_DEVICE`);
  }

  /** @throws VantageError MODULE_UNKNOWN, DEVICE_UNKNOWN */
  async moduleTwin(module: string, device = this.device): Promise<Twin> {
    try {
      return await this.#ask(`the twin of ${module}`, () => this.#calls.getModuleTwin(device, module));
    } catch (error) {
      const { cause } = error as Error;
      if (!(cause instanceof Error) || cause.name !== 'DeviceNotFoundError') throw error;
      // Every edge device has an agent.
      if (module.startsWith('$')) {
        throw new VantageError('DEVICE_UNKNOWN', `${this.name} has no edge device "${device}"`, { cause });
      }
      throw new VantageError('MODULE_UNKNOWN', `${device} (${this.name}) has no module "${module}"`, { cause });
    }
  }

  /** @param etag of the twin that the change was made for; `*` overwrites whatever is there. @throws TWIN_CHANGED */
  async patchModuleTwin(
    module: string,
    desired: Readonly<Record<string, unknown>>,
    etag: string,
    device = this.device,
  ): Promise<Twin> {
    let attempts = 0;
    try {
      return await this.#ask(`the twin of ${module}`, () => {
        attempts += 1;
        return this.#calls.updateModuleTwin(device, module, { properties: { desired } }, etag);
      });
    } catch (error) {
      if (attempts === 1 || codeOf(error) !== 'TWIN_CHANGED') throw error;
      // The attempt before may have been the one that changed it: only its answer was lost.
      const now = await this.moduleTwin(module, device);
      if (!twinEquals(mergeTwin(now.properties.desired, desired), now.properties.desired)) throw error;
      return now;
    }
  }

  /**
   * Calls a direct method of a module, once.
   *
   * @returns what the module answered, its own errors included
   * @throws VantageError MODULE_OFFLINE, METHOD_UNANSWERED
   */
  async invokeMethod(
    module: string,
    methodName: string,
    payload: unknown,
    { timeoutSeconds = 30, device = this.device }: { readonly timeoutSeconds?: number; readonly device?: string } = {},
  ): Promise<MethodAnswer> {
    const method = { methodName, payload, responseTimeoutInSeconds: timeoutSeconds, connectTimeoutInSeconds: 0 };
    this.#methodCalls ??= await this.#methods();
    try {
      const { result } = await answered(this.#methodCalls.invokeDeviceMethod(device, module, method), timeoutSeconds);
      return result;
    } catch (error) {
      throw this.#methodFailure(`${module} of ${device}`, methodName, error);
    }
  }

  async applyContent(modulesContent: ModulesContent): Promise<void> {
    await this.#ask(`the deployment of ${this.device}`, () =>
      this.#calls.applyConfigurationContentOnDevice(this.device, { modulesContent }),
    );
  }

  configurations(): Promise<HubConfiguration[]> {
    return this.#ask('the deployments', () => this.#calls.getConfigurations());
  }

  /** @returns undefined when there is none of that name */
  async configuration(id: string): Promise<HubConfiguration | undefined> {
    return (await this.configurations()).find((one) => one.id === id);
  }

  async saveConfiguration(configuration: HubConfiguration, old: HubConfiguration | undefined): Promise<void> {
    await this.#ask(`the deployment ${configuration.id}`, () =>
      old === undefined
        ? this.#calls.addConfiguration({ schemaVersion: '2.0', ...configuration })
        : this.#calls.updateConfiguration({ ...old, ...configuration, etag: old.etag }, false),
    );
  }

  async removeConfiguration(id: string): Promise<void> {
    await this.#ask(`the deployment ${id}`, () => this.#calls.removeConfiguration(id));
  }

  /** Rows of an IoT Hub query, at most 10,000. */
  async query(sql: string): Promise<unknown[]> {
    const query = this.#calls.createQuery(sql, 100);
    const rows: unknown[] = [];
    do {
      const { responseBody } = await this.#try('the query', async () => ({
        responseBody: (await query.next()).result,
      }));
      rows.push(...responseBody);
    } while (query.hasMoreResults && rows.length < MAX_ROWS);
    return rows;
  }

  async #ask<T>(what: string, call: () => Promise<Answer<T>>): Promise<T> {
    return (await this.#try(what, call)).responseBody;
  }

  async #try<T>(what: string, call: () => Promise<T>): Promise<T> {
    const backoff = new Backoff({ baseMs: 500, capMs: 8000 });
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await answered(call());
      } catch (error) {
        const text = messageOf(error);
        if (!PASSING.test(`${text} ${(error as Error).name}`) || attempt === ATTEMPTS) throw this.#failure(what, error);
        process.stderr.write(`${what}: ${this.name} says ${firstLine(text)}; asking again\n`);
        await backoff.wait();
      }
    }
  }

  #methodFailure(module: string, method: string, error: unknown): VantageError {
    const kind = error instanceof Error ? error.name : '';
    if (kind === 'DeviceNotFoundError' || /^not found$|DeviceNotOnline|404103/i.test(messageOf(error))) {
      return new VantageError('MODULE_OFFLINE', `${module} is not connected to ${this.name}`, { cause: error });
    }
    if (kind === 'GatewayTimeoutError' || /no answer within|504101/.test(messageOf(error))) {
      return new VantageError('METHOD_UNANSWERED', `${module} did not answer ${method} in time`, { cause: error });
    }
    return this.#failure(`the method ${method} of ${module}`, error);
  }

  #failure(what: string, error: unknown): VantageError {
    const text = firstLine(messageOf(error));
    // The SDK tells the HTTP status by the error's class.
    const kind = error instanceof Error ? error.name : '';
    const problem = (code: string, message: string): VantageError => new VantageError(code, message, { cause: error });
    if (/ECONNREFUSED/.test(text) && this.name === 'local') {
      return problem('RUNTIME_NOT_RUNNING', 'the local runtime does not answer; is "vantage up" still running?');
    }
    if (/ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|hang up|no answer/.test(text)) {
      return problem('HUB_UNREACHABLE', `${this.name} cannot be reached: ${text}`);
    }
    if (/Credential|Authentication/.test(kind)) {
      const remedy =
        'run "az login", or name a service connection string (--connection-file, IOTHUB_CONNECTION_STRING)';
      return problem('HUB_REFUSED', `no Azure login for ${this.name}: ${remedy}`);
    }
    if (kind === 'UnauthorizedError') return problem('HUB_REFUSED', `${this.name} does not accept the credentials`);
    if (kind === 'InvalidEtagError') return twinChanged(what, error);
    return problem('HUB_CALL_FAILED', `${what} (${this.name}): ${text}`);
  }
}

/** @param what such as `the twin of ai-pipeline` */
export function twinChanged(what: string, cause?: unknown): VantageError {
  const message = `${what} was changed by somebody else in the meantime: look at it again`;
  return new VantageError('TWIN_CHANGED', message, { cause });
}

/** A hub that accepts a connection and says nothing must not hold anybody for ever. */
function answered<T>(call: Promise<T>, seconds = ANSWER_MS / 1000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([call, late]).finally(() => clearTimeout(timer));
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
