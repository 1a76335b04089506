/** What `vantage up` tells: one JSON line each with `--json`, the source of the live summary otherwise. */
export type UpEvent =
  | {
      readonly event: 'starting';
      readonly state: string;
      /** Template or manifest; absent: the product's own. */
      readonly deployment?: string;
    }
  | {
      readonly event: 'started';
      readonly deviceId: string;
      readonly ffmpeg: string;
      readonly mqttPort: number;
      readonly apiPort: number;
      /** Folder that clips are written to, absolute. */
      readonly clipFolder: string;
      /** Folder of the modules' logs, absolute. */
      readonly logFolder: string;
    }
  | { readonly event: 'module'; readonly module: string; readonly status: string; readonly reason?: string }
  | {
      readonly event: 'inference';
      readonly pipeline: string;
      readonly sensor: string;
      readonly frameId: number;
      readonly timestamp: string;
      /** How many objects of each label. */
      readonly objects: Readonly<Record<string, number>>;
    }
  | {
      readonly event: 'region';
      readonly pipeline: string;
      readonly sensor: string;
      readonly region: string;
      readonly label: string;
      readonly count: number;
    }
  | { readonly event: 'recording'; readonly pipeline: string; readonly on: boolean }
  | {
      readonly event: 'clip';
      readonly pipeline: string;
      readonly file: string;
      readonly seconds: number;
      readonly frames: number;
    }
  | {
      /** A clip has arrived in storage. */
      readonly event: 'uploaded';
      readonly file: string;
      /** In this run. */
      readonly clips: number;
    }
  /** The page in the browser can be had. */
  | { readonly event: 'player'; readonly url: string }
  | { readonly event: 'error'; readonly module?: string; readonly code?: string; readonly message: string }
  /** From here on modules end one after the other; that is no news. */
  | { readonly event: 'stopping' }
  | {
      readonly event: 'ended';
      /** How long it ran. */
      readonly seconds: number;
      /** Objects in all inference messages together. */
      readonly objects: number;
      readonly clips: number;
    };
