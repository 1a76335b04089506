import {
  codeOf,
  configurationStatusSchema,
  INPUTS,
  MESSAGE_PROPERTIES,
  messageOf,
  METHODS,
  OUTPUTS,
  parseJson,
  validateConfiguration,
  type ConfigIssue,
  type ConfigurationResult,
  type PublishReason,
} from '@vantage/contracts';
import { PARSER_NAMES } from '@vantage/vision';
import { compileSkills } from '@vantage/skill';
import type { EdgeModuleApi } from '@vantage/edge-client';
import type { Logger } from '@vantage/observability';
import type { LastGood, Published } from './last-good.ts';
import { reportedConfiguration, reportedModule } from './reported.ts';

/** More than there are consumers; a bound on what strangers can put into the reported properties. */
const MAX_MODULES = 16;

export interface ControllerOptions {
  readonly edge: EdgeModuleApi;
  readonly lastGood: LastGood;
  readonly logger: Logger & { setLevel(level: unknown): boolean };
}

/**
 * The policy of the controllermodule: twin in, validated `components` out (contract B.1, C.1).
 *
 * - A good twin becomes the active configuration: saved, published, reported.
 * - A twin of which nothing can be used changes nothing; the active configuration stays and the report says why.
 * - The active configuration is published once the first twin has been read, at each change, and whenever a consumer says
 *   that it has just started (or a person calls `republish`), because a restarted consumer has forgotten what it was told.
 */
export class Controller {
  readonly #edge: EdgeModuleApi;
  readonly #lastGood: LastGood;
  readonly #logger: ControllerOptions['logger'];
  readonly #modules = new Set<string>();
  #active: Published | undefined;
  /** What consumers were last given. */
  #published: Published | undefined;

  constructor(options: ControllerOptions) {
    this.#edge = options.edge;
    this.#lastGood = options.lastGood;
    this.#logger = options.logger;
  }

  async start(): Promise<void> {
    try {
      this.#active = await this.#lastGood.read();
      if (this.#active !== undefined) {
        this.#logger.info('last good configuration found', { configurationVersion: this.#active.version });
      }
    } catch (error) {
      this.#logger.warn(`the last good configuration cannot be read: ${messageOf(error)}`, { error });
    }
    this.#edge.onInput(INPUTS.configurationStatus, (message) => this.#onStatus(message.text));
    this.#edge.onMethod(METHODS.republish, () => {
      this.#publish('requested');
      return { status: 200, payload: { version: this.#active?.version ?? null } };
    });
    this.#edge.onDesired((desired, { version }) => this.#onDesired(desired, version ?? 0));
  }

  async #onDesired(desired: unknown, version: number): Promise<void> {
    const { components, accepted, errors, warnings } = withSkills(
      validateConfiguration(desired, { parsers: PARSER_NAMES }),
    );
    for (const issue of errors) this.#logger.error(lineOf(issue), { configurationVersion: version });
    for (const issue of warnings) this.#logger.warn(lineOf(issue), { configurationVersion: version });
    const reason = this.#published === undefined ? 'started' : 'changed';
    if (components !== undefined && accepted !== undefined) {
      if (components.logLevel !== undefined) this.#logger.setLevel(components.logLevel);
      this.#active = { version, components: accepted };
      await this.#save(this.#active);
    }
    // A consumer that has started meanwhile may have been given it already.
    if (this.#published !== this.#active) this.#publish(reason);
    const status = components === undefined ? 'rejected' : errors.length > 0 ? 'applied-with-errors' : 'applied';
    const activeVersion = this.#active?.version ?? null;
    this.#report({ configuration: reportedConfiguration({ version, status, errors, warnings, activeVersion }) });
    this.#logger.info(`configuration ${status}`, {
      configurationVersion: version,
      activeVersion,
      errors: errors.length,
    });
  }

  async #save(published: Published): Promise<void> {
    try {
      await this.#lastGood.write(published);
    } catch (error) {
      // It still runs; only the next start without a network would miss it.
      this.#logger.error(`the configuration cannot be saved: ${messageOf(error)}. Check the state folder.`, { error });
    }
  }

  /** Does not wait for the hub: the edge client keeps the message until it can be sent. */
  #publish(reason: PublishReason): void {
    if (this.#active === undefined) return;
    this.#published = this.#active;
    const { version, components } = this.#active;
    const properties = {
      [MESSAGE_PROPERTIES.configurationVersion]: String(version),
      [MESSAGE_PROPERTIES.configurationReason]: reason,
    };
    this.#edge.send(OUTPUTS.deepStream, components, properties).then(
      () => {
        this.#logger.debug('configuration published', { configurationVersion: version, reason });
        this.#report({ configuration: { publishError: null } });
      },
      (error: unknown) => {
        const publishError = `version ${version} was not published: ${messageOf(error)}`;
        this.#logger.error(publishError, { code: codeOf(error), error });
        this.#report({ configuration: { publishError } });
      },
    );
  }

  /** A report that is refused has been logged by the edge client; the module works without it. */
  #report(patch: Record<string, unknown>): void {
    this.#edge.report(patch).catch(() => undefined);
  }

  #onStatus(text: string): void {
    let body: unknown;
    try {
      body = parseJson(text);
    } catch (error) {
      this.#logger.warn(`a configuration status is ignored: ${messageOf(error)}`, { error });
      return;
    }
    const parsed = configurationStatusSchema.safeParse(body);
    if (!parsed.success || (!this.#modules.has(parsed.data.module) && this.#modules.size >= MAX_MODULES)) {
      this.#logger.warn('a configuration status that nobody expects is ignored');
      return;
    }
    const status = parsed.data;
    this.#modules.add(status.module);
    this.#logger.info(`${status.module}: ${status.status}`, {
      configurationVersion: status.configurationVersion,
      errors: status.errors.length,
    });
    this.#report({ modules: { [status.module]: reportedModule(status) } });
    if (status.status === 'starting') this.#publish('requested');
  }
}

/**
 * Adds what is wrong inside of skills. Where that leaves nothing to run, the configuration is refused, as one of pipelines
 * only would be.
 */
function withSkills(result: ConfigurationResult): ConfigurationResult {
  const { components } = result;
  if (!components || components.skills.length === 0) return result;
  const { graphs, issues } = compileSkills(components);
  const errors = [...result.errors, ...issues.filter(({ severity }) => severity === 'error').map(toIssue)];
  const warnings = [...result.warnings, ...issues.filter(({ severity }) => severity === 'warning').map(toIssue)];
  const nothing = components.enabled && components.streams.length === 0 && graphs.length === 0;
  return nothing ? { components: undefined, accepted: undefined, errors, warnings } : { ...result, errors, warnings };
}

function toIssue({ path, message, severity }: ConfigIssue): ConfigIssue {
  return { path, message, severity };
}

function lineOf({ path, message }: ConfigIssue): string {
  return path === '' ? message : `${path}: ${message}`;
}
