import { VantageError } from '@vantage/contracts';

/** Another runtime holds the state folder. `details.pid` is its process id. */
export const stateFolderInUse = (stateDir: string, pid: number): VantageError =>
  new VantageError('EDGE_STATE_IN_USE', `the state folder ${stateDir} is used by another runtime with pid ${pid}`, {
    details: { stateDir, pid },
  });

/** A port that was asked for is taken. `details.port` says which. */
export const portInUse = (port: number, purpose: string, cause: unknown): VantageError =>
  new VantageError('EDGE_PORT_IN_USE', `port ${port} for ${purpose} is already in use`, {
    cause,
    details: { port, purpose },
  });

/** A call came before `start()` finished or after `stop()`. */
export const notRunning = (): VantageError => new VantageError('EDGE_NOT_RUNNING', 'the edge runtime is not running');

/** No device or module of that name. */
export const identityNotFound = (name: string): VantageError =>
  new VantageError('EDGE_IDENTITY_NOT_FOUND', `there is no device or module "${name}"`, { details: { name } });

/** A device or module of that name exists already. */
export const identityExists = (name: string): VantageError =>
  new VantageError('EDGE_IDENTITY_EXISTS', `"${name}" exists already`, { details: { name } });

/** The ETag of a conditional change is not the stored one. */
export const etagMismatch = (name: string): VantageError =>
  new VantageError('EDGE_ETAG_MISMATCH', `"${name}" was changed by somebody else: its ETag is another one`, {
    details: { name },
  });

/** A request, a patch or a name is not valid; the message says why in the hub's words. */
export const invalidArgument = (message: string, cause?: unknown): VantageError =>
  new VantageError('EDGE_INVALID_ARGUMENT', message, cause === undefined ? {} : { cause });

/** A twin patch breaks a limit of the hub; the message is edgeHub's own wording. */
export const twinPatchInvalid = (message: string): VantageError => new VantageError('EDGE_TWIN_PATCH_INVALID', message);

/** A deployment (modulesContent, $edgeAgent or $edgeHub desired properties) is not valid. */
export const deploymentInvalid = (message: string): VantageError =>
  new VantageError('EDGE_DEPLOYMENT_INVALID', message);

/** The user name, client id or topic of an MQTT client does not follow the IoT Hub dialect. */
export const mqttProtocolError = (message: string): VantageError => new VantageError('EDGE_MQTT_PROTOCOL', message);

/** A token is missing, malformed, expired, for something else, or signed with another key. */
export const unauthorized = (message: string): VantageError => new VantageError('EDGE_UNAUTHORIZED', message);

/** The target of a direct method is not connected, or does not listen to methods. */
export const methodTargetOffline = (name: string): VantageError =>
  new VantageError('EDGE_METHOD_TARGET_OFFLINE', `"${name}" is not connected or does not accept methods`, {
    details: { name },
  });

/** The target of a direct method got it and did not answer in time. */
export const methodTimeout = (name: string, method: string): VantageError =>
  new VantageError('EDGE_METHOD_TIMEOUT', `"${name}" did not answer the method "${method}" in time`, {
    details: { name, method },
  });

/** The store of waiting messages is full: nothing more is taken until a target drains it. */
export const messageStoreFull = (limitBytes: number): VantageError =>
  new VantageError('EDGE_STORE_FULL', `the message store has reached its limit of ${limitBytes} bytes`, {
    details: { limitBytes },
  });

/** The state folder cannot be written: the disk is full (or that fault is injected). Nothing was changed. */
export const diskFull = (cause?: unknown): VantageError =>
  new VantageError('EDGE_DISK_FULL', 'the state folder cannot be written: the disk is full', {
    ...(cause === undefined ? {} : { cause }),
  });

/** A query or condition of the hub's query language is wrong at `details.column`, counted from 1. */
export const queryInvalid = (column: number, reason: string): VantageError =>
  new VantageError('EDGE_QUERY_INVALID', `column ${column}: ${reason}`, { details: { column } });

/** A token is valid, but its policy may not do that. */
export const permissionMissing = (policy: string, permission: string): VantageError =>
  new VantageError('EDGE_PERMISSION_MISSING', `the policy "${policy}" lacks the permission ${permission}`, {
    details: { policy, permission },
  });

/** There is no configuration, job or upload of that name. */
export const notFound = (what: string): VantageError => new VantageError('EDGE_NOT_FOUND', `there is no ${what}`);

/** A configuration or job of that name exists already. */
export const alreadyExists = (what: string): VantageError => new VantageError('EDGE_EXISTS', `${what} exists already`);

/** The hub holds as many of something as it may. */
export const limitReached = (what: string, limit: number): VantageError =>
  new VantageError('EDGE_LIMIT_REACHED', `the hub holds ${limit} ${what}, which is the limit`, { details: { limit } });

/** The body of a request is too large. */
export const bodyTooLarge = (limitBytes: number): VantageError =>
  new VantageError('EDGE_BODY_TOO_LARGE', `the body is larger than ${limitBytes} bytes`, { details: { limitBytes } });

/** A call that IoT Hub has and this hub does not. */
export const notPartOfLocalHub = (what: string): VantageError =>
  new VantageError('EDGE_NOT_PART_OF_LOCAL_HUB', `${what}: not part of the local hub`);

/** File upload was asked for, and the runtime knows no storage account. */
export const storageNotConfigured = (): VantageError =>
  new VantageError(
    'EDGE_STORAGE_NOT_CONFIGURED',
    'file upload needs a storage account: start the runtime with a storage connection string',
  );

/** Body, keys and values of a message are more than the hub takes. */
export const messageTooLarge = (sizeBytes: number, limitBytes: number): VantageError =>
  new VantageError(
    'EDGE_HUB_MESSAGE_TOO_LARGE',
    `the message has ${sizeBytes} bytes with its properties; at most ${limitBytes} are allowed`,
    { details: { sizeBytes, limitBytes } },
  );

/** No container engine answers where one is looked for. `details.address` says where that is. */
export const engineUnavailable = (address: string, reason: string, cause: unknown): VantageError =>
  new VantageError(
    'EDGE_ENGINE_UNAVAILABLE',
    `no container engine answers at ${address}: ${reason}; start Docker, or set DOCKER_HOST, or run modules as processes`,
    { cause, details: { address } },
  );

/** The image of a module is not on this machine and cannot be fetched. */
export const imageUnavailable = (image: string, reason: string, cause?: unknown): VantageError =>
  new VantageError('EDGE_IMAGE_UNAVAILABLE', `the image "${image}" is not to be had: ${reason}`, {
    ...(cause === undefined ? {} : { cause }),
    details: { image },
  });

/** The container engine refuses to make or start the container of a module; the message is the engine's own. */
export const containerFailed = (moduleId: string, reason: string, cause?: unknown): VantageError =>
  new VantageError('EDGE_CONTAINER_FAILED', `the container of "${moduleId}" cannot be started: ${reason}`, {
    ...(cause === undefined ? {} : { cause }),
    details: { moduleId },
  });
