import { codeOf } from '@vantage/contracts';

/** How IoT Hub says what went wrong. */
export interface HubError {
  /** Of the HTTP answer. */
  readonly status: number;
  /** The name that `azure-iothub` reads out of `Message`. */
  readonly hubCode: string;
  /** IoT Hub's number for it. */
  readonly number: number;
}

/** For each error code of this library. */
const HUB_ERRORS: Readonly<Record<string, readonly [status: number, hubCode: string, number: number]>> = {
  EDGE_UNAUTHORIZED: [401, 'IotHubUnauthorizedAccess', 401002],
  EDGE_PERMISSION_MISSING: [401, 'IotHubUnauthorized', 401003],
  EDGE_LIMIT_REACHED: [403, 'QuotaExceeded', 403002],
  EDGE_IDENTITY_NOT_FOUND: [404, 'DeviceNotFound', 404001],
  EDGE_NOT_FOUND: [404, 'NotFound', 404001],
  EDGE_METHOD_TARGET_OFFLINE: [404, 'DeviceNotOnline', 404103],
  EDGE_NOT_PART_OF_LOCAL_HUB: [501, 'NotImplemented', 501000],
  EDGE_IDENTITY_EXISTS: [409, 'DeviceAlreadyExists', 409001],
  EDGE_EXISTS: [409, 'AlreadyExists', 409001],
  EDGE_ETAG_MISMATCH: [412, 'PreconditionFailed', 412001],
  EDGE_BODY_TOO_LARGE: [413, 'RequestEntityTooLarge', 413001],
  EDGE_INVALID_ARGUMENT: [400, 'ArgumentInvalid', 400004],
  EDGE_QUERY_INVALID: [400, 'ArgumentInvalid', 400004],
  EDGE_TWIN_PATCH_INVALID: [400, 'ArgumentInvalid', 400004],
  EDGE_DEPLOYMENT_INVALID: [400, 'ArgumentInvalid', 400004],
  EDGE_STORAGE_NOT_CONFIGURED: [400, 'StorageNotConfigured', 400000],
  EDGE_DISK_FULL: [503, 'ServiceUnavailable', 503001],
  EDGE_NOT_RUNNING: [503, 'ServiceUnavailable', 503001],
  EDGE_METHOD_TIMEOUT: [504, 'GatewayTimeout', 504101],
};

/** What IoT Hub would call an error; one that is not ours is a fault of the hub. */
export function hubErrorOf(error: unknown): HubError {
  const [status, hubCode, number] = HUB_ERRORS[codeOf(error) ?? ''] ?? [500, 'ServerError', 500001];
  return { status, hubCode, number };
}
