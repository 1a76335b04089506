import {
  codeOf,
  INPUTS,
  isObject,
  MESSAGE_PROPERTIES,
  messageOf,
  MODULES,
  OUTPUTS,
  parseJson,
  readBusinessLogicTwin,
  readInferenceMessage,
  validateSensors,
  type ConfigurationStatusMessage,
  type RecordingCommand,
  type RecordingRequest,
  type StatusError,
} from '@vantage/contracts';
import type { DesiredChange, EdgeModuleApi, InputMessage } from '@vantage/edge-client';
import type { Logger } from '@vantage/observability';
import type { DecisionInput } from './decide.ts';
import type { Decide } from './load-decision.ts';
import { readSettings } from './settings.ts';
import { WhyLog } from './why-log.ts';

export interface BusinessLogicOptions {
  readonly edge: EdgeModuleApi;
  readonly decide: Decide;
  readonly logger: Logger & { setLevel(level: unknown): boolean };
}

/**
 * Feeds the decision logic and sends what it decides (contract C.4, G.1), and forwards recording by hand from the
 * module's own twin (B.4).
 *
 * Each message is decided at once, in the order in which they come. An error of the logic is logged and the state before
 * it stays.
 */
export class BusinessLogic {
  readonly #edge: EdgeModuleApi;
  readonly #decide: Decide;
  readonly #logger: BusinessLogicOptions['logger'];
  readonly #why = new WhyLog();
  #state: unknown;
  #byHand: readonly RecordingRequest[] = [];
  /** Pipelines of the last configuration; undefined before the first. */
  #pipelines: ReadonlySet<string> | undefined;

  constructor(options: BusinessLogicOptions) {
    this.#edge = options.edge;
    this.#decide = options.decide;
    this.#logger = options.logger;
  }

  /** Asks the controllermodule for the configuration, since what was published before this start is gone. */
  async start(): Promise<void> {
    this.#edge.onInput(INPUTS.regionsOfInterest, (message) => this.#onConfiguration(message));
    this.#edge.onInput(INPUTS.inference, (message) => this.#onInference(message));
    this.#edge.onMethod('why', (payload) => this.#why.answer(payload));
    this.#edge.onDesired((desired, change) => this.#onTwin(desired, change));
    await this.#sendStatus('starting', null, []);
  }

  async #onConfiguration(message: InputMessage): Promise<void> {
    const version = versionOf(message);
    const body = this.#parse(message, 'configuration');
    const { sensors, businessLogicConfig, logLevel, errors } = validateSensors(body);
    const { settings, errors: settingErrors } = readSettings(businessLogicConfig);
    const problems: readonly StatusError[] = [...errors, ...settingErrors];
    for (const problem of problems) this.#logger.error(lineOf(problem));
    if (sensors === undefined) {
      await this.#sendStatus('rejected', version, problems);
      return;
    }
    this.#why.configured(sensors, settings.objectsToMonitor);
    if (logLevel !== undefined) this.#logger.setLevel(logLevel);
    await this.#step({
      kind: 'configuration',
      sensors,
      ...settings,
      businessLogicConfig,
    });
    this.#logger.info('configuration applied', {
      configurationVersion: version,
      regions: sensors.reduce((sum, sensor) => sum + sensor.regionsOfInterest.length, 0),
    });
    await this.#repeatByHand(body, message.properties[MESSAGE_PROPERTIES.configurationReason]);
    await this.#sendStatus(problems.length > 0 ? 'applied-with-errors' : 'applied', version, problems);
  }

  /**
   * The ai-pipeline ignores commands for pipelines that it does not know. So a recording by hand is started again when it
   * may not have known them: a consumer has (re)started, or a pipeline is new. After other edits it is not: what the logic
   * has stopped since stays stopped.
   */
  async #repeatByHand(body: unknown, reason: string | undefined): Promise<void> {
    const before = this.#pipelines;
    this.#pipelines = pipelinesOf(body);
    const everything = before === undefined || reason === 'started' || reason === 'requested';
    const requests = everything ? this.#byHand : this.#byHand.filter(({ configId }) => !before.has(configId));
    const starts = requests.filter(({ configId, state }) => state && this.#pipelines?.has(configId) === true);
    if (starts.length > 0) await this.#send({ startRecording: starts }, 'twin');
  }

  async #onInference(message: InputMessage): Promise<void> {
    const read = readInferenceMessage(this.#parse(message, 'inference'));
    if (read === undefined) {
      this.#logger.warn('an inference message without a list of inferences is ignored');
      return;
    }
    if (read.ignored > 0) this.#logger.warn('parts of an inference message are ignored', { ignored: read.ignored });
    this.#why.message(read.message);
    await this.#step({ kind: 'inference', message: read.message });
  }

  /** A patch that says the same again is forwarded again: that is how people restart a recording (B.4, G.3). */
  async #onTwin(desired: unknown, { patch }: DesiredChange): Promise<void> {
    const { startRecording, errors, warnings } = readBusinessLogicTwin(desired);
    for (const issue of errors) this.#logger.error(lineOf(issue));
    for (const issue of warnings) this.#logger.warn(lineOf(issue));
    const reported = errors.slice(0, 10).map(({ path, message }) => ({ path, message }));
    this.#edge.report({ twin: { errors: reported } }).catch(() => undefined);
    this.#byHand = startRecording ?? [];
    const meant = patch === undefined || 'startRecording' in patch;
    if (meant && this.#byHand.length > 0) await this.#send({ startRecording: this.#byHand }, 'twin');
  }

  async #step(input: DecisionInput): Promise<void> {
    let commands: readonly RecordingCommand[] = [];
    try {
      const decision = this.#decide(this.#state, input);
      this.#state = decision.state;
      commands = decision.commands;
    } catch (error) {
      this.#logger.error(`the decision logic failed: ${messageOf(error)}`, { code: codeOf(error), error });
    }
    // All at once: a slow send must not let the commands of the next picture overtake.
    await Promise.all(commands.map((command) => this.#send(command, 'logic')));
  }

  async #send(command: RecordingCommand, by: 'logic' | 'twin'): Promise<void> {
    this.#why.command(command, by);
    for (const { configId, state } of command.startRecording) {
      this.#logger.info(`recording ${state ? 'on' : 'off'}`, { configId, reason: command.reason });
    }
    await this.#deliver(OUTPUTS.recording, command);
  }

  async #sendStatus(
    status: ConfigurationStatusMessage['status'],
    configurationVersion: number | null,
    errors: readonly StatusError[],
  ): Promise<void> {
    const message: ConfigurationStatusMessage = {
      module: MODULES.businessLogic,
      configurationVersion,
      status,
      errors: errors.slice(0, 50).map(({ path, message: text }) => ({ path, message: text })),
    };
    await this.#deliver(OUTPUTS.configurationStatus, message);
  }

  async #deliver(output: string, body: unknown): Promise<void> {
    try {
      await this.#edge.send(output, body);
    } catch (error) {
      this.#logger.error(`a message to ${output} was not sent: ${messageOf(error)}`, { code: codeOf(error), error });
    }
  }

  #parse(message: InputMessage, what: string): unknown {
    try {
      return parseJson(message.text);
    } catch (error) {
      this.#logger.warn(`${what}: ${messageOf(error)}`);
      return undefined;
    }
  }
}

function lineOf({ path, message }: StatusError): string {
  return path === '' ? message : `${path}: ${message}`;
}

function versionOf(message: InputMessage): number | null {
  const text = message.properties[MESSAGE_PROPERTIES.configurationVersion];
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** The pipelines that streams name; the streams of a published configuration are good ones. */
function pipelinesOf(body: unknown): ReadonlySet<string> {
  const deepStream = isObject(body) ? body['deepStream'] : undefined;
  const streams: unknown = isObject(deepStream) ? deepStream['streams'] : undefined;
  const list = Array.isArray(streams) ? (streams as unknown[]) : [];
  return new Set(
    list.flatMap((item) => (isObject(item) && typeof item['configId'] === 'string' ? [item['configId']] : [])),
  );
}
