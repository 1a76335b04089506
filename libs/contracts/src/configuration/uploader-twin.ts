import { isObject } from '../json.ts';
import {
  VIDEO_UPLOADER_DEFAULTS,
  videoUploaderTwinSchema,
  type VideoUploaderSettings,
} from '../twins/uploader-twin.ts';
import type { Issues } from './module-twins.ts';
import { Report, typeName, withoutNulls } from './report.ts';

/** Reads the desired properties of the VideoUploader. A wrong value is reported, and its default is used. */
export function readVideoUploaderTwin(desired: unknown): Issues & { readonly settings: VideoUploaderSettings } {
  const report = new Report();
  const twin = isObject(desired) ? withoutNulls(desired) : {};
  if (!isObject(desired) && desired !== undefined && desired !== null) {
    report.error('', `expected an object, found ${typeName(desired)}. It is ignored.`);
  }
  report.unknownKeys(twin, Object.keys(videoUploaderTwinSchema.shape), '');
  const read = <K extends keyof VideoUploaderSettings>(key: K): VideoUploaderSettings[K] => {
    const fallback = VIDEO_UPLOADER_DEFAULTS[key];
    if (twin[key] === undefined) return fallback;
    const remedy = `The default ${String(fallback)} is used.`;
    const value = report.parse(videoUploaderTwinSchema.shape[key], twin[key], key, remedy);
    return (value as VideoUploaderSettings[K] | undefined) ?? fallback;
  };
  const settings: VideoUploaderSettings = {
    bandwidthKBps: read('bandwidthKBps'),
    uploadWhileRecording: read('uploadWhileRecording'),
    deleteAfterUpload: read('deleteAfterUpload'),
    keepLocalSeconds: read('keepLocalSeconds'),
    announceClips: read('announceClips'),
  };
  return { settings, errors: report.errors, warnings: report.warnings };
}
