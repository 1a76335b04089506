import pc from 'picocolors';
import type { UpEvent } from './events.ts';

interface Camera {
  readonly pipeline: string;
  readonly frameId: number;
  readonly timeMs: number;
  readonly fps: number;
  readonly objects: Readonly<Record<string, number>>;
}

/** What has happened so far, from events alone; `render` draws it, `hasWorked` judges it. */
export class Summary {
  readonly #modules = new Map<string, string>();
  readonly #cameras = new Map<string, Camera>();
  readonly #regions = new Map<string, { label: string; count: number; at: number }>();
  readonly #recording = new Set<string>();
  #clips = 0;
  #lastClip = '';
  #detections = 0;
  #lastError = '';

  add(event: UpEvent): void {
    switch (event.event) {
      case 'started':
        return;
      case 'module':
        this.#modules.set(event.module, event.status);
        return;
      case 'inference':
        this.#see(event);
        return;
      case 'region':
        this.#regions.set(`${event.sensor}, ${event.region}`, {
          label: event.label,
          count: event.count,
          at: Date.now(),
        });
        return;
      case 'recording':
        if (event.on) this.#recording.add(event.pipeline);
        else this.#recording.delete(event.pipeline);
        return;
      case 'clip':
        this.#clips += 1;
        this.#lastClip = `${event.file} (${event.seconds} s, ${event.frames} frames)`;
        return;
      case 'error':
        this.#lastError = event.module ? `${event.module}: ${event.message}` : event.message;
        return;
    }
  }

  /** Objects were detected and a clip was written. */
  get hasWorked(): boolean {
    return this.#detections > 0 && this.#clips > 0;
  }

  /** @param elapsedMs since the start */
  render(elapsedMs: number): string {
    const lines = [`${pc.bold('Vantage')} ${clock(elapsedMs)}  ${pc.dim('Ctrl-C ends it')}`];
    const modules = [...this.#modules].map(([name, status]) => `${dot(status)} ${name}`);
    lines.push(row('modules', modules.join('  ') || 'starting'));
    for (const [sensor, camera] of this.#cameras) {
      const objects = Object.entries(camera.objects).map(([label, count]) => `${count} ${label}`);
      lines.push(row(sensor, `${camera.fps.toFixed(1)} frames/s  ${objects.join(', ') || 'nothing in view'}`));
    }
    for (const [where, { label, count, at }] of this.#regions) {
      lines.push(row('region', `${where}: ${count} ${label} ${Math.round((Date.now() - at) / 1000)} s ago`));
    }
    const recording = this.#recording.size > 0 ? pc.red('  recording') : '';
    lines.push(row('clips', `${this.#clips}${this.#lastClip ? `, newest ${this.#lastClip}` : ''}${recording}`));
    if (this.#lastError) lines.push(row('problem', pc.yellow(this.#lastError)));
    return lines.join('\n');
  }

  /** The same event as one plain line, for pipes and files; undefined for what would only be noise there. */
  static line(event: UpEvent): string | undefined {
    switch (event.event) {
      case 'started':
        return `device ${event.deviceId}, MQTT on ${event.mqttPort}, service API on ${event.apiPort}, ffmpeg ${event.ffmpeg}`;
      case 'module':
        return `module ${event.module}: ${event.status}${event.reason ? ` (${event.reason})` : ''}`;
      case 'inference': {
        const objects = Object.entries(event.objects).map(([label, count]) => `${count} ${label}`);
        return `${event.sensor} frame ${event.frameId}: ${objects.join(', ') || 'nothing in view'}`;
      }
      case 'region':
        return `region ${event.region} of ${event.sensor}: ${event.count} ${event.label}`;
      case 'recording':
        return `recording ${event.pipeline}: ${event.on ? 'on' : 'off'}`;
      case 'clip':
        return `clip ${event.file}: ${event.seconds} s, ${event.frames} frames`;
      case 'error':
        return `problem${event.module ? ` in ${event.module}` : ''}: ${event.message}`;
    }
  }

  #see(event: Extract<UpEvent, { event: 'inference' }>): void {
    const timeMs = Date.parse(event.timestamp);
    const before = this.#cameras.get(event.sensor);
    const frames = before ? event.frameId - before.frameId : 0;
    const seconds = before ? (timeMs - before.timeMs) / 1000 : 0;
    const fps = frames > 0 && seconds > 0 ? frames / seconds : (before?.fps ?? 0);
    this.#cameras.set(event.sensor, {
      pipeline: event.pipeline,
      frameId: event.frameId,
      timeMs,
      fps,
      objects: event.objects,
    });
    this.#detections += Object.values(event.objects).reduce((sum, count) => sum + count, 0);
  }
}

function row(name: string, text: string): string {
  return `${pc.dim(name.padEnd(10))} ${text}`;
}

function dot(status: string): string {
  if (status === 'running' || status === 'connected') return pc.green('●');
  return status === 'starting' ? pc.yellow('○') : pc.red('●');
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
