import { randomBytes } from 'node:crypto';
import { permissionMissing, unauthorized } from '../errors.ts';
import { parseSasToken, verifySasToken } from '../hub/sas.ts';
import type { StateDatabase } from '../state/database.ts';

/** What a shared access policy may allow, as IoT Hub names it. */
export type Permission = 'RegistryRead' | 'RegistryWrite' | 'ServiceConnect' | 'DeviceConnect';

/** The policies that every IoT Hub is made with. */
export const POLICIES = {
  iothubowner: ['RegistryRead', 'RegistryWrite', 'ServiceConnect', 'DeviceConnect'],
  service: ['ServiceConnect'],
  device: ['DeviceConnect'],
  registryRead: ['RegistryRead'],
  registryReadWrite: ['RegistryRead', 'RegistryWrite'],
} as const satisfies Readonly<Record<string, readonly Permission[]>>;

export type PolicyName = keyof typeof POLICIES;

export interface PolicyParts {
  readonly database: StateDatabase;
  /** The key of `iothubowner`, which the hub's identity holds. */
  readonly ownerKey: string;
  /** The hub's clock, ms since 1970. */
  readonly now: () => number;
  /** Throws EDGE_UNAUTHORIZED unless the host of a token is this hub. */
  readonly checkHost: (host: string) => void;
}

/** The shared access policies of the service API, each with two keys of its own. */
export class ServicePolicies {
  readonly #parts: PolicyParts;
  readonly #keys = new Map<string, readonly string[]>();

  constructor(parts: PolicyParts) {
    this.#parts = parts;
  }

  async open(): Promise<void> {
    const { database, ownerKey } = this.#parts;
    database.define(
      'CREATE TABLE IF NOT EXISTS policies (name TEXT PRIMARY KEY, primary_key TEXT NOT NULL, secondary_key TEXT NOT NULL)',
    );
    const insert = database.prepare('INSERT OR IGNORE INTO policies VALUES (?, ?, ?)');
    await database.write(() => {
      for (const name of Object.keys(POLICIES)) insert.run(name, newKey(), newKey());
    });
    for (const row of database.prepare('SELECT * FROM policies').iterate()) {
      this.#keys.set(String(row['name']), [String(row['primary_key']), String(row['secondary_key'])]);
    }
    this.#keys.set('iothubowner', [ownerKey, ...(this.#keys.get('iothubowner')?.slice(1) ?? [])]);
  }

  /** The primary key of a policy, base64. */
  keyOf(name: PolicyName): string {
    return this.#keys.get(name)?.[0] ?? '';
  }

  /**
   * Checks a service's token and that its policy has the permission.
   * @throws VantageError EDGE_UNAUTHORIZED, EDGE_PERMISSION_MISSING
   */
  check(authorization: string, permission: Permission): void {
    const name = this.checkAny(authorization);
    const granted: readonly Permission[] = POLICIES[name];
    if (!granted.includes(permission)) throw permissionMissing(name, permission);
  }

  /** Checks a service's token; yields the policy that it is of. @throws VantageError EDGE_UNAUTHORIZED */
  checkAny(authorization: string): PolicyName {
    const token = parseSasToken(authorization);
    const name = token.policy ?? '';
    const keys = this.#keys.get(name);
    if (keys === undefined || !isPolicy(name)) {
      throw unauthorized(`a token of one of the policies ${Object.keys(POLICIES).join(', ')} is needed`);
    }
    verifySasToken(token, keys, this.#parts.now());
    this.#parts.checkHost(token.sr);
    return name;
  }
}

const newKey = (): string => randomBytes(32).toString('base64');
const isPolicy = (name: string): name is PolicyName => Object.hasOwn(POLICIES, name);
