import { isObject } from '@vantage/contracts';
import { settingInvalid } from './errors.ts';

/** A device as its IoT Hub connection string names it. */
export interface DeviceIdentity {
  /** With a port where it is not 443. */
  readonly hostName: string;
  readonly deviceId: string;
  readonly key: string;
}

/** Where clips go. */
export type StorageChoice =
  | { readonly kind: 'connectionString'; readonly connectionString: string; readonly container: string }
  /** A container's URL with a shared access signature. */
  | { readonly kind: 'sas'; readonly url: string }
  /** Through IoT Hub's file upload; `accountKey` is needed for tags (contract A.5), and '' without one. */
  | { readonly kind: 'fileUpload'; readonly device: DeviceIdentity; readonly accountKey: string }
  | { readonly kind: 'none'; readonly reason: string };

const DEFAULT_CONTAINER = 'clips';

/**
 * Reads what the deployment says about storage: `AZURE_STORAGE_CONNECTION_STRING` (with `AZURE_STORAGE_CONTAINER`) goes
 * before `AZURE_STORAGE_SAS_URL`, and this before `IOTHUB_DEVICE_CONNECTION_STRING` with `BLOB_STORAGE_ACCOUNT_KEY`.
 * Empty means absent, as templates have it.
 */
export function readStorageChoice(env: NodeJS.ProcessEnv): StorageChoice {
  const of = (name: string): string => env[name]?.trim() ?? '';
  const container = of('AZURE_STORAGE_CONTAINER') || DEFAULT_CONTAINER;
  const connectionString = of('AZURE_STORAGE_CONNECTION_STRING');
  if (connectionString !== '') return { kind: 'connectionString', connectionString, container };
  const sas = of('AZURE_STORAGE_SAS_URL');
  if (sas !== '') {
    if (!URL.canParse(sas)) return { kind: 'none', reason: 'AZURE_STORAGE_SAS_URL is no URL' };
    const url = new URL(sas);
    // A URL of the account is enough when the container is named beside it.
    const path = url.pathname.split('/').filter((part) => part !== '');
    const depth = isAddress(url.hostname) ? 2 : 1;
    if (path.length < depth) url.pathname = [...path, container].join('/');
    return { kind: 'sas', url: url.href };
  }
  const device = of('IOTHUB_DEVICE_CONNECTION_STRING');
  if (device === '' || /^\$\{?\w+\}?$/.test(device)) {
    return {
      kind: 'none',
      reason:
        'no storage is configured: set IOTHUB_DEVICE_CONNECTION_STRING, AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_SAS_URL',
    };
  }
  const accountKey = of('BLOB_STORAGE_ACCOUNT_KEY');
  const known = /^\$\{?\w+\}?$/.test(accountKey) ? '' : accountKey;
  try {
    return { kind: 'fileUpload', device: readDevice(device), accountKey: known };
  } catch (error) {
    return { kind: 'none', reason: isObject(error) && 'message' in error ? String(error['message']) : String(error) };
  }
}

/** An emulator: the account is the first part of the path. */
function isAddress(host: string): boolean {
  return /^(\d+\.){3}\d+$|^\[|^localhost$/.test(host);
}

function readDevice(text: string): DeviceIdentity {
  const fields = new Map(
    text.split(';').map((part): [string, string] => {
      const at = part.indexOf('=');
      return [part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()];
    }),
  );
  const hostName = fields.get('hostname') ?? '';
  const deviceId = fields.get('deviceid') ?? '';
  const key = fields.get('sharedaccesskey') ?? '';
  if (hostName === '' || deviceId === '' || key === '') {
    throw settingInvalid('IOTHUB_DEVICE_CONNECTION_STRING', 'it lacks HostName, DeviceId or SharedAccessKey');
  }
  if (fields.has('moduleid')) {
    throw settingInvalid('IOTHUB_DEVICE_CONNECTION_STRING', "it is a module's; file upload needs the device's");
  }
  return { hostName, deviceId, key };
}
