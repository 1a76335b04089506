import { messageOf } from '@vantage/contracts';
import { resolveFfmpeg } from '@vantage/media';
import { ask, type Finding } from './finding.ts';
import type { Hardware } from './hardware.ts';

/** ffmpeg and what it decodes with. */
export async function examineDecoding(hardware: Hardware): Promise<readonly Finding[]> {
  try {
    const ffmpeg = await resolveFfmpeg();
    const found = `${ffmpeg.version} at ${ffmpeg.path} (${ffmpeg.origin})`;
    const main: Finding =
      ffmpeg.tooOld === true
        ? {
            id: 'ffmpeg',
            state: 'limited',
            found: `${found}: older than 4.4, without security fixes`,
            remedy: 'apt-get install ffmpeg, or set FFMPEG_PATH to a newer one.',
          }
        : { id: 'ffmpeg', state: 'good', found };
    return [main, await hardwareDecoding(ffmpeg.path, hardware)];
  } catch (error) {
    return [
      {
        id: 'ffmpeg',
        state: 'missing',
        found: messageOf(error),
        remedy: 'apt-get install ffmpeg, or set FFMPEG_PATH.',
      },
    ];
  }
}

/** A device is opened, not only looked up: builds list what they were compiled for, drivers or not. */
async function hardwareDecoding(path: string, { gpu, renderNode }: Hardware): Promise<Finding> {
  const id = 'decoding';
  if (gpu === 'jetson') {
    const { stdout } = await ask(path, ['-hide_banner', '-decoders']);
    if (stdout.includes('nvv4l2dec')) return { id, state: 'good', found: 'by the decoder of the Jetson (nvv4l2)' };
    return {
      id,
      state: 'limited',
      found: 'on the processor: this ffmpeg does not know the decoder of the Jetson',
      remedy: "Take NVIDIA's ffmpeg of JetPack (apt-get install ffmpeg from its repository), or the jetson image.",
    };
  }
  const device = gpu === 'nvidia' ? 'cuda' : renderNode === undefined ? undefined : `vaapi=va:${renderNode}`;
  if (device === undefined) {
    return {
      id,
      state: 'limited',
      found: 'on the processor: there is no device that decodes',
      remedy: 'Nothing has to be done: a 1080p camera takes about a tenth of a core. A sub-stream takes less.',
    };
  }
  const kind = device.split('=')[0] ?? device;
  const source = ['-f', 'lavfi', '-i', 'nullsrc=s=64x64:d=0.04', '-f', 'null', '-'];
  const tried = await ask(path, ['-v', 'error', '-init_hw_device', device, ...source]);
  if (tried.ok) return { id, state: 'good', found: `by the GPU (${kind})` };
  return {
    id,
    state: 'limited',
    found: `on the processor: ffmpeg cannot open ${kind}: ${tried.reason}`,
    remedy:
      kind === 'cuda'
        ? 'Take an ffmpeg with NVDEC; in a container add NVIDIA_DRIVER_CAPABILITIES=compute,video,utility.'
        : `Install the VA-API driver of the graphics card, and let the user read ${renderNode ?? ''}.`,
  };
}
