/** A decoder that is not the processor. Decoded pictures come back to main memory, where they are scaled. */
export interface HardwareDecode {
  /**
   * `cuda`: NVDEC of a discrete GPU. `nvv4l2`: the decoder of a Jetson (an ffmpeg of L4T has it). `vaapi`, `qsv`: Intel and
   * AMD.
   */
  readonly kind: 'cuda' | 'nvv4l2' | 'vaapi' | 'qsv';
  /** Number of the GPU (`gpu-id`); a render node such as `/dev/dri/renderD128` for `vaapi`. */
  readonly device?: string | number;
  /** `h264` unless said otherwise: `nvv4l2` has a decoder for each codec. */
  readonly codec?: string;
}

/** Options that stand before the input. */
export function hardwareArguments({ kind, device, codec }: HardwareDecode): string[] {
  if (kind === 'nvv4l2') return ['-c:v', `${codec ?? 'h264'}_nvv4l2dec`];
  return ['-hwaccel', kind, ...(device === undefined ? [] : ['-hwaccel_device', String(device)])];
}

/** What decodes a source's pictures, and why not what was wanted. */
export interface DecoderReport {
  readonly by: 'software' | HardwareDecode['kind'];
  readonly reason?: string;
}

/** What ffmpeg says when it is the decoder that cannot be had, and not the source. */
const DECODER_TROUBLE =
  /hwaccel|hw ?device|hardware|device creation|device setup|no device available|unknown decoder|nvv4l2|cuda|cuvid|vaapi|va display|qsv|mfx/i;

/** Who decodes a source: what was asked for, until it turns out that it cannot. Software from then on. */
export class DecoderChoice {
  #hardware: HardwareDecode | undefined;
  #reason: string | undefined;

  constructor(wanted: HardwareDecode | undefined) {
    this.#hardware = wanted;
  }

  get hardware(): HardwareDecode | undefined {
    return this.#hardware;
  }

  get report(): DecoderReport {
    return { by: this.#hardware?.kind ?? 'software', ...(this.#reason === undefined ? {} : { reason: this.#reason }) };
  }

  /** @returns whether it was the decoder's fault that nothing came, so that software is worth a try */
  failed(reason: string, codec: string | undefined): boolean {
    const wanted = this.#hardware;
    if (!wanted || !DECODER_TROUBLE.test(reason)) return false;
    if (wanted.kind === 'nvv4l2' && codec !== undefined && codec !== (wanted.codec ?? 'h264')) {
      this.#hardware = { ...wanted, codec };
      return true;
    }
    this.#hardware = undefined;
    this.#reason = `${wanted.kind} was asked for, but: ${reason}`;
    return true;
  }
}
