export interface HealthCheck {
  readonly ok: boolean;
  readonly detail?: string;
}

export interface HealthSnapshot {
  /** False only when the process should be restarted. */
  readonly live: boolean;
  /** True once started and while every check is ok. */
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, HealthCheck>>;
}

/** What a module knows about how it is; read by `/healthz` and `/readyz`. */
export class Health {
  readonly #checks = new Map<string, HealthCheck>();
  #started = false;
  #fatal: string | undefined;

  /** Sets one named check, for example `edgeHub`. Detail must be safe to show: pass it through `redact`. */
  set(check: string, ok: boolean, detail?: string): void {
    this.#checks.set(check, detail === undefined ? { ok } : { ok, detail });
  }

  remove(check: string): void {
    this.#checks.delete(check);
  }

  started(): void {
    this.#started = true;
  }

  /** Nothing but a restart helps. */
  fatal(reason: string): void {
    this.#fatal = reason;
  }

  snapshot(): HealthSnapshot {
    const checks: Record<string, HealthCheck> = Object.fromEntries(this.#checks);
    if (this.#fatal !== undefined) checks['process'] = { ok: false, detail: this.#fatal };
    const live = this.#fatal === undefined;
    return { live, ready: live && this.#started && Object.values(checks).every((check) => check.ok), checks };
  }
}
