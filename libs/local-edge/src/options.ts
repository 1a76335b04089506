import type { Logger } from '@vantage/observability';
import type { ImageResolver } from './agent/process-executor.ts';
import type { RestartTiming, RuntimeStatus } from './agent/restart-policy.ts';
import type { ClientState } from './hub/hub-state.ts';
import type { UpstreamMessage } from './hub/message.ts';
import type { MessagingLimits } from './hub/messaging.ts';
import type { FileNotification } from './registry/files/uploads.ts';
import type { TwinChange } from './twin/store.ts';

export interface EdgeRuntimeOptions extends MessagingLimits {
  /** Folder of everything the runtime keeps. Made when missing; used by one runtime at a time. */
  readonly stateDir: string;
  /** Name of the edge device. Default: the one of the state folder, else `vantage-edge`. */
  readonly deviceId?: string;
  /** Name of the hub in tokens and user names. Default: the one of the state folder, else `vantage-hub.local`. */
  readonly hubHostName?: string;
  /** Port of the MQTT broker; 0 or absent: the one of the last run when it is free, else any free one. */
  readonly mqttPort?: number;
  /** Port of the service API; 0 or absent as above. */
  readonly apiPort?: number;
  /**
   * The address on which the broker and the service API listen. Default `127.0.0.1`: this machine only. Containers
   * reach the address of their bridge, or `0.0.0.0`.
   */
  readonly listenAddress?: string;
  /**
   * More names or addresses by which clients call the hub, a gateway name for instance: they go into the servers'
   * certificate, and tokens may name them. `localhost`, this machine's name and the hub's are always there.
   */
  readonly serverNames?: readonly string[];
  /**
   * How modules run: as child processes (default), or as containers of the Docker engine that `DOCKER_HOST` names or
   * that listens at /var/run/docker.sock.
   */
  readonly executor?: 'process' | 'docker';
  /** For processes: what to run for an image of a deployment. Default: nothing is known, and modules fail with that reason. */
  readonly resolveImage?: ImageResolver;
  /** For processes: where host names of the modules' network really listen: `rtspsim` -> `127.0.0.1:8554`; `VANTAGE_HOSTS` for modules. */
  readonly hosts?: Readonly<Record<string, string>>;
  /** Figures of the restart policy; edgeAgent's where absent. */
  readonly restartTiming?: Partial<RestartTiming>;
  /** Port of Prometheus metrics on loopback, `/metrics`; 0: any free one. Absent: none. */
  readonly metricsPort?: number;
  /**
   * Connection string of a storage account (an Azurite's too) that devices upload files to. Default: none, and file
   * upload is refused. Devices upload over https: an account that speaks plain http gets an https address before it,
   * with the runtime's certificate. A module whose deployment names IOTHUB_DEVICE_CONNECTION_STRING or
   * BLOB_STORAGE_ACCOUNT_KEY gets this runtime's values for them, and the CA's file in VANTAGE_CA_FILE.
   */
  readonly storageConnectionString?: string;
  /** The container in it; made when it is missing. Default `uploads`. */
  readonly storageContainer?: string;
  readonly logger?: Logger;
}

/** A module's state changed. */
export interface ModuleEvent {
  readonly id: string;
  readonly status: RuntimeStatus;
  /** Why, in a few words. */
  readonly reason: string;
  readonly pid: number | undefined;
  readonly exitCode: number;
  readonly restartCount: number;
}

/** A line of a module's output. */
export interface LogEvent {
  readonly id: string;
  readonly stream: 'stdout' | 'stderr';
  readonly line: string;
}

/** A message that a module or device sent, wherever it goes. */
export interface TelemetryMessage {
  readonly deviceId: string;
  readonly moduleId: string;
  /** Empty when it was sent to no output. */
  readonly output: string;
  readonly properties: Readonly<Record<string, string>>;
  /** As text. */
  readonly body: string;
}

/** A twin changed; `desired` and `reported` are the whole of it, without `$version`. */
export interface TwinEvent extends TwinChange {
  readonly deviceId: string;
  readonly moduleId: string;
  readonly desired: Readonly<Record<string, unknown>>;
  readonly reported: Readonly<Record<string, unknown>>;
}

/** Events of an {@link EdgeRuntime}. */
export interface EdgeRuntimeEvents {
  module: [ModuleEvent];
  log: [LogEvent];
  message: [TelemetryMessage];
  upstream: [UpstreamMessage];
  twin: [TwinEvent];
  /** A device or module has uploaded a file, or could not. */
  fileUpload: [FileNotification];
  /** A client came or went; its name is `D` or `D/M`. */
  client: [name: string, state: ClientState];
  /** Somebody asks, through the control API, that whoever owns this runtime stops it. */
  stopRequested: [];
}

export interface ApplyDeploymentOptions {
  /** Leave the desired properties of modules that have some already (not those of `$edgeAgent` and `$edgeHub`). */
  readonly keepTwins?: boolean;
}
