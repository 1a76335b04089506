import { createHmac } from 'node:crypto';
import { isObject, parseJson } from '@vantage/contracts';
import type { DeviceIdentity } from '../environment.ts';
import { hubRefused } from '../errors.ts';
import { question } from './patience.ts';

/** A place that IoT Hub gave: the blob may be written through it for about an hour. */
export interface UploadPlace {
  readonly correlationId: string;
  readonly container: string;
  /** With the device's name before it, as IoT Hub does. */
  readonly blobName: string;
  readonly url: string;
  readonly sasToken: string;
}

const API = 'api-version=2021-04-12';
const TOKEN_SECONDS = 3600;

/**
 * IoT Hub's file upload, as the device itself asks for it over HTTPS. The device SDK has it too, but without a timeout and
 * without a port in the host name.
 */
export class HubFileUpload {
  readonly #device: DeviceIdentity;

  constructor(device: DeviceIdentity) {
    this.#device = device;
  }

  /** @throws VantageError UPLOAD_HUB_REFUSED; fetch's own errors when the hub cannot be reached */
  async begin(blobName: string, signal: AbortSignal): Promise<UploadPlace> {
    const reply = await this.#post('files', { blobName }, signal);
    const { correlationId, hostName, containerName, sasToken } = isObject(reply) ? reply : {};
    const given = isObject(reply) ? reply['blobName'] : undefined;
    const parts = [correlationId, hostName, containerName, sasToken, given];
    if (!parts.every((part): part is string => typeof part === 'string')) {
      throw hubRefused(200, '', 'its answer lacks a place to upload to');
    }
    const path = String(given).split('/').map(encodeURIComponent).join('/');
    return {
      correlationId: String(correlationId),
      container: String(containerName),
      blobName: String(given),
      url: `https://${String(hostName)}/${String(containerName)}/${path}`,
      sasToken: String(sasToken),
    };
  }

  /** Tells the hub how an upload went; it forgets the place. An upload that it does not know any more is no error. */
  async end(correlationId: string, isSuccess: boolean, why: string, signal: AbortSignal): Promise<void> {
    const body = { correlationId, isSuccess, statusCode: isSuccess ? 200 : 500, statusDescription: why };
    await this.#post('files/notifications', body, signal, true);
  }

  async #post(path: string, body: object, signal: AbortSignal, mayBeGone = false): Promise<unknown> {
    const { hostName, deviceId } = this.#device;
    const response = await fetch(`https://${hostName}/devices/${encodeURIComponent(deviceId)}/${path}?${API}`, {
      method: 'POST',
      headers: { authorization: this.#token(), 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: question(signal),
    });
    const text = await response.text();
    if (response.ok) return text === '' ? undefined : parseJson(text);
    if (mayBeGone && (response.status === 404 || response.status === 400)) return undefined;
    const code = response.headers.get('iothub-errorcode') ?? /ErrorCode:(\w+)/.exec(text)?.[1] ?? '';
    throw hubRefused(response.status, code, reasonIn(text), response.headers.get('date'));
  }

  #token(): string {
    const { hostName, deviceId, key } = this.#device;
    const resource = encodeURIComponent(`${hostName.replace(/:\d+$/, '')}/devices/${deviceId}`);
    const expiry = Math.floor(Date.now() / 1000) + TOKEN_SECONDS;
    const signature = createHmac('sha256', Buffer.from(key, 'base64'))
      .update(`${resource}\n${expiry}`)
      .digest('base64');
    return `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiry}`;
  }
}

function reasonIn(text: string): string {
  try {
    const body = parseJson(text);
    const message = isObject(body) ? (body['Message'] ?? body['message']) : undefined;
    if (typeof message === 'string') return message.replace(/^ErrorCode:\w+;/, '').slice(0, 300);
  } catch {
    // Not JSON: the text as it is.
  }
  return text.slice(0, 300) || 'no reason given';
}
