import path from 'node:path';
import pc from 'picocolors';
import type { UpEvent } from './events.ts';

type Of<K extends UpEvent['event']> = Extract<UpEvent, { event: K }>;

interface Camera {
  readonly pipeline: string;
  readonly frameId: number;
  readonly timeMs: number;
  /** 0 until two messages were seen. */
  readonly fps: number;
  readonly objects: Readonly<Record<string, number>>;
}

export interface SummaryOptions {
  /** Milliseconds; only differences matter. */
  readonly now?: () => number;
  /** What the user would have to add to `vantage twin` to reach this runtime, such as ` --state /tmp/x`. */
  readonly twinOptions?: string;
}

/** Region events of so many places are shown, the newest first. */
const MAX_REGIONS = 4;

/** What has happened so far, from events alone; `render` draws it, `hasWorked` judges it. */
export class Summary {
  readonly #now: () => number;
  readonly #startedMs: number;
  readonly #twinOptions: string;
  readonly #modules = new Map<string, Of<'module'>>();
  readonly #cameras = new Map<string, Camera>();
  readonly #regions = new Map<string, { event: Of<'region'>; atMs: number }>();
  readonly #recording = new Set<string>();
  #phase: 'starting' | 'running' | 'stopping' | 'ended' = 'starting';
  #runtime: Of<'started'> | undefined;
  #player: string | undefined;
  #clips = 0;
  #lastClip: Of<'clip'> | undefined;
  #uploaded = 0;
  #objects = 0;
  #problems = 0;
  #lastProblem: { text: string; atMs: number } | undefined;

  constructor({ now = () => performance.now(), twinOptions = '' }: SummaryOptions = {}) {
    this.#now = now;
    this.#startedMs = now();
    this.#twinOptions = twinOptions;
  }

  add(event: UpEvent): void {
    switch (event.event) {
      case 'starting':
        return;
      case 'started':
        this.#phase = 'running';
        this.#runtime = event;
        return;
      case 'module':
        this.#modules.set(event.module, event);
        return;
      case 'inference':
        this.#see(event);
        return;
      case 'region': {
        const where = `${event.sensor} ${event.region}`;
        this.#regions.delete(where);
        this.#regions.set(where, { event, atMs: this.#now() });
        return;
      }
      case 'recording':
        if (event.on) this.#recording.add(event.pipeline);
        else this.#recording.delete(event.pipeline);
        return;
      case 'clip':
        this.#clips += 1;
        this.#lastClip = event;
        return;
      case 'uploaded':
        this.#uploaded = event.clips;
        return;
      case 'error':
        this.#problems += 1;
        this.#lastProblem = { text: problemText(event), atMs: this.#now() };
        return;
      case 'player':
        this.#player = event.url;
        return;
      case 'stopping':
        this.#phase = 'stopping';
        return;
      case 'ended':
        this.#phase = 'ended';
        return;
    }
  }

  /** Objects were detected and a clip was written. */
  get hasWorked(): boolean {
    return this.#objects > 0 && this.#clips > 0;
  }

  /** What is missing for {@link hasWorked}, as half a sentence; empty when nothing is. */
  get missing(): string {
    if (this.hasWorked) return '';
    if (this.#objects === 0) return this.#clips === 0 ? 'no objects were detected' : 'clips, but no objects were seen';
    return 'objects were detected, but no clip was finished';
  }

  /** The event that closes the run. */
  end(): Of<'ended'> {
    const seconds = Math.round((this.#now() - this.#startedMs) / 100) / 10;
    return { event: 'ended', seconds, objects: this.#objects, clips: this.#clips };
  }

  /** The whole picture as it is now, several lines. */
  render(): string {
    const head = `${pc.bold('Vantage')}  ${this.#phase}  ${clock(this.#now() - this.#startedMs)}`;
    const hint = this.#phase === 'running' ? `   ${pc.dim('Ctrl-C ends it')}` : '';
    const sections = [
      [`${head}${hint}`],
      this.#phase === 'running' && this.#player !== undefined ? section('Player', [pc.cyan(this.#player)]) : [],
      this.#phase === 'ended' ? [] : section('modules', this.#moduleRows()),
      [
        ...section('cameras', this.#cameraRows()),
        ...section('regions', this.#regionRows()),
        ...section('clips', this.#clipRows()),
        ...section('problem', this.#problemRows()),
      ],
      this.#phase === 'running' ? this.#hintRows() : [],
    ];
    return sections
      .filter((lines) => lines.length > 0)
      .map((lines) => lines.join('\n'))
      .join('\n\n');
  }

  /** The same event as one plain line, for pipes and files. */
  static line(event: UpEvent): string {
    switch (event.event) {
      case 'starting':
        return `starting the edge runtime and ${event.deployment ?? 'its modules'}, state in ${event.state}`;
      case 'started':
        return `device ${event.deviceId}, MQTT on ${event.mqttPort}, service API on ${event.apiPort}, ffmpeg ${event.ffmpeg}, clips in ${event.clipFolder}`;
      case 'module':
        return `module ${event.module}: ${event.status}${event.reason ? ` (${event.reason})` : ''}`;
      case 'inference':
        return `${event.sensor} frame ${event.frameId}: ${inWords(event.objects)}`;
      case 'region':
        return `region ${event.region} of ${event.sensor}: ${event.count} ${event.label}`;
      case 'recording':
        return `recording ${event.pipeline}: ${event.on ? 'on' : 'off'}`;
      case 'clip':
        return `clip ${event.file}: ${event.seconds} s, ${event.frames} frames`;
      case 'uploaded':
        return `uploaded ${event.file}`;
      case 'error':
        return `problem${event.module ? ' in' : ':'} ${problemText(event)}`;
      case 'player':
        return `Player  ${event.url}`;
      case 'stopping':
        return 'stopping';
      case 'ended':
        return `ended after ${event.seconds} s: ${event.objects} objects in messages, ${event.clips} clips`;
    }
  }

  #moduleRows(): string[] {
    if (this.#modules.size === 0) return [pc.dim('none started yet')];
    const rows = [...this.#modules.values()].sort((a, b) => (a.module < b.module ? -1 : 1));
    const names = columns(rows.map(({ module }) => module));
    return rows.map(({ status, reason }, at) => {
      return `${dot(status)} ${names[at]}  ${status}${reason ? pc.dim(`  ${reason}`) : ''}`;
    });
  }

  #cameraRows(): string[] {
    if (this.#cameras.size === 0) return [pc.dim('waiting for the first picture')];
    const cameras = [...this.#cameras];
    const names = columns(cameras.map(([sensor]) => sensor));
    return cameras.map(([, { fps, objects }], at) => {
      const rate = (fps > 0 ? fps.toFixed(1) : '-').padStart(5);
      return `${names[at]}  ${rate} frames/s   ${inWords(objects)}`;
    });
  }

  #regionRows(): string[] {
    const newest = [...this.#regions.values()].reverse().slice(0, MAX_REGIONS);
    return newest.map(({ event, atMs }) => {
      return `${event.region} (${event.sensor})   ${event.count} ${event.label}   ${pc.dim(this.#ago(atMs))}`;
    });
  }

  #clipRows(): string[] {
    const recording = this.#recording.size > 0 ? `   ${pc.red('●')} recording ${[...this.#recording].join(', ')}` : '';
    const uploaded = this.#uploaded === 0 ? '' : `   ${this.#uploaded} uploaded`;
    const rows = [`${this.#clips === 0 ? 'none yet' : this.#clips}${uploaded}${recording}`];
    if (this.#lastClip) rows.push(`${this.#lastClip.file}   ${this.#lastClip.seconds.toFixed(1)} s`);
    if (this.#lastClip && this.#runtime) rows.push(pc.dim(`in ${fromHere(this.#runtime.clipFolder)}`));
    return rows;
  }

  #problemRows(): string[] {
    if (!this.#lastProblem) return [];
    const earlier = this.#problems > 1 ? `, ${this.#problems - 1} before` : '';
    return [pc.yellow(this.#lastProblem.text), pc.dim(`${this.#ago(this.#lastProblem.atMs)}${earlier}`)];
  }

  #hintRows(): string[] {
    const runtime = this.#runtime;
    if (!runtime) return [];
    const { deviceId, mqttPort, apiPort, ffmpeg, logFolder } = runtime;
    return [
      ...section('twins', [
        `npx vantage twin get controllermodule${this.#twinOptions}`,
        `npx vantage twin patch ai-pipeline '{"messageEveryNFrames": 10}'${this.#twinOptions}`,
      ]),
      ...section('logs', [fromHere(logFolder)]),
      ...section('runtime', [`device ${deviceId}, MQTT on ${mqttPort}, service API on ${apiPort}, ffmpeg ${ffmpeg}`]),
    ].map((line) => pc.dim(line));
  }

  #ago(atMs: number): string {
    return `${Math.max(0, Math.round((this.#now() - atMs) / 1000))} s ago`;
  }

  #see(event: Of<'inference'>): void {
    const timeMs = Date.parse(event.timestamp);
    const before = this.#cameras.get(event.sensor);
    const frames = before ? event.frameId - before.frameId : 0;
    const seconds = before ? (timeMs - before.timeMs) / 1000 : 0;
    const now = frames > 0 && seconds > 0 ? frames / seconds : (before?.fps ?? 0);
    // A camera's frames arrive in bursts: half of the rate is what it was before.
    const fps = before && before.fps > 0 ? (before.fps + now) / 2 : now;
    const { pipeline, frameId, objects } = event;
    this.#cameras.set(event.sensor, { pipeline, frameId, timeMs, fps, objects });
    this.#objects += Object.values(objects).reduce((sum, count) => sum + count, 0);
  }
}

const NAME_WIDTH = 9;

/** The name stands before the first row, the others hang below it. */
function section(name: string, rows: readonly string[]): string[] {
  return rows.map((row, at) => `${pc.dim((at === 0 ? name : '').padEnd(NAME_WIDTH))}${row}`);
}

/** All as wide as the widest. */
function columns(names: readonly string[]): string[] {
  const width = Math.max(...names.map((name) => name.length));
  return names.map((name) => name.padEnd(width));
}

/** Most first, so that the order does not jump with each message. */
function inWords(objects: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(objects).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return sorted.map(([label, count]) => `${count} ${label}`).join(', ') || 'nothing in view';
}

function problemText({ module, message }: Of<'error'>): string {
  return module ? `${module}: ${message}` : message;
}

function fromHere(folder: string): string {
  const relative = path.relative(process.cwd(), folder);
  return relative.startsWith('..') ? folder : relative;
}

function dot(status: string): string {
  if (status === 'connected') return pc.green('●');
  return status === 'starting' || status === 'disconnected' ? pc.yellow('○') : pc.red('●');
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
