import { unauthorized } from '../errors.ts';
import { identityName, type IdentityStore } from '../state/identities.ts';
import { parseAudience, parseSasToken, verifySasToken } from './sas.ts';

/** The one policy of the service API. */
export const SERVICE_POLICY = 'iothubowner';

/** Decides by their tokens who may do what. All methods throw EDGE_UNAUTHORIZED to refuse. */
export class HubAccess {
  readonly #identities: IdentityStore;

  readonly #hostNames: ReadonlySet<string>;

  /** `serverNames`: names of this machine that tokens may carry besides the hub's. */
  constructor(identities: IdentityStore, serverNames: readonly string[] = []) {
    this.#identities = identities;
    this.#hostNames = new Set(['localhost', '127.0.0.1', ...serverNames.map((name) => name.toLowerCase())]);
  }

  /** Checks a device's or module's token: ours, for it (or for its device, as edgeHub has it), and in time. */
  checkClient(deviceId: string, moduleId: string, password: string): void {
    const identity = this.#identities.get(deviceId, moduleId);
    if (identity?.status !== 'enabled') {
      throw unauthorized(`"${identityName(deviceId, moduleId)}" is not known or disabled`);
    }
    const token = parseSasToken(password);
    const audience = parseAudience(token.sr);
    this.#checkHost(audience.host);
    const forDevice = audience.moduleId === undefined;
    if (audience.deviceId !== deviceId || (!forDevice && audience.moduleId !== moduleId)) {
      throw unauthorized('the token is for another device or module');
    }
    const signer = forDevice ? this.#identities.require(deviceId) : identity;
    verifySasToken(token, [signer.primaryKey, signer.secondaryKey], Date.now());
  }

  /** Checks a token of the service policy. */
  checkService(authorization: string, nowMs = Date.now()): void {
    const token = parseSasToken(authorization);
    if (token.policy !== SERVICE_POLICY) throw unauthorized(`a token of the policy ${SERVICE_POLICY} is needed`);
    verifySasToken(token, [this.#identities.hub.serviceKey], nowMs);
    this.#checkHost(token.sr);
  }

  /** The hub's name, or this machine's, whatever the port: tokens name the host their client was given. */
  #checkHost(host: string): void {
    const name = decodeHost(host).toLowerCase().replace(/:\d+$/, '');
    const hub = this.#identities.hub.hubHostName.toLowerCase().replace(/:\d+$/, '');
    if (name !== hub && !this.#hostNames.has(name)) throw unauthorized(`the token is for the hub "${host}"`);
  }
}

function decodeHost(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
