import type { ConfigIssue, ConfigurationStatusMessage, StatusError } from '@vantage/contracts';
import { redact } from '@vantage/observability';

/** IoT Hub keeps 32 KB of reported properties per module; these limits stay below half of it. */
const LIMITS = { errors: 15, warnings: 10, moduleErrors: 5, messageChars: 240, pathChars: 160 } as const;

export type ControllerStatus = 'applied' | 'applied-with-errors' | 'rejected';

/** What the controllermodule says about a twin version. */
export function reportedConfiguration(facts: {
  readonly version: number;
  readonly status: ControllerStatus;
  readonly errors: readonly ConfigIssue[];
  readonly warnings: readonly ConfigIssue[];
  /** The version that the modules were given; null when there is none. */
  readonly activeVersion: number | null;
}): Readonly<Record<string, unknown>> {
  return {
    version: facts.version,
    status: facts.status,
    activeVersion: facts.activeVersion,
    errors: listed(facts.errors, LIMITS.errors),
    warnings: listed(facts.warnings, LIMITS.warnings),
  };
}

/** What another module says about the version it was given. */
export function reportedModule(status: ConfigurationStatusMessage): Readonly<Record<string, unknown>> {
  return {
    version: status.configurationVersion,
    status: status.status,
    errors: listed(status.errors, LIMITS.moduleErrors),
  };
}

/** Redacted before it is cut: a credential that is cut in two would no longer be recognised. */
function listed(issues: readonly StatusError[], max: number): readonly StatusError[] {
  const items = issues.slice(0, max).map((issue) => ({
    path: issue.path.slice(0, LIMITS.pathChars),
    message: redact(issue.message).slice(0, LIMITS.messageChars),
  }));
  const beyond = issues.length - items.length;
  return beyond === 0 ? items : [...items, { path: '', message: `${beyond} more; the module's log lists them.` }];
}
