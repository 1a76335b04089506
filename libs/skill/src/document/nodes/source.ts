import { numberIn } from '../fields.ts';
import type { NodeType } from './node-type.ts';

const DEFAULT_FPS = 30;
/** The reference's floor. */
const MIN_FPS = 0.001;

/** `rtsp`: the instance names the camera, so only the number of frames a second is read. */
export const rtsp: NodeType = {
  type: 'source',
  name: 'rtsp',
  label: 'Camera Input',
  read(fields) {
    fields.ignore('ip', 'device_name', 'skill_name');
    const text = fields.text('fps');
    if (text === undefined || text === 'invalid') return { kind: 'source', maxFps: DEFAULT_FPS };
    const fps = numberIn(text);
    if (fps === undefined) fields.warn('fps', `is no number, so at most ${DEFAULT_FPS} frames a second are looked at`);
    return { kind: 'source', maxFps: Math.max(MIN_FPS, fps ?? DEFAULT_FPS) };
  },
};
