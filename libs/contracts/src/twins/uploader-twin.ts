import { z } from 'zod';

/** The VideoUploader twin with defaults for what is absent or wrong. */
export interface VideoUploaderSettings {
  /** Kilobytes (1024 bytes) a second; 0 = no limit. */
  readonly bandwidthKBps: number;
  readonly uploadWhileRecording: boolean;
  readonly deleteAfterUpload: boolean;
  readonly keepLocalSeconds: number;
  readonly announceClips: boolean;
}

/** Defaults of the VideoUploader twin, which behave as the original does (G.4). All keys are ours: it reads no twin (B.5). */
export const VIDEO_UPLOADER_DEFAULTS: VideoUploaderSettings = {
  bandwidthKBps: 0,
  uploadWhileRecording: false,
  deleteAfterUpload: true,
  keepLocalSeconds: 0,
  announceClips: true,
};

/** Desired properties of the VideoUploader. */
export const videoUploaderTwinSchema = z
  .object({
    bandwidthKBps: z.number().min(0).max(10_000_000).optional().meta({
      description: 'Kilobytes (1024 bytes) a second that uploads may take together; 0 = no limit.',
      default: VIDEO_UPLOADER_DEFAULTS.bandwidthKBps,
    }),
    uploadWhileRecording: z.boolean().optional().meta({
      description: 'Send a clip in pieces while it is still being recorded; it becomes a blob when it is closed.',
      default: VIDEO_UPLOADER_DEFAULTS.uploadWhileRecording,
    }),
    deleteAfterUpload: z.boolean().optional().meta({
      description: 'Remove the local file once storage has confirmed it.',
      default: VIDEO_UPLOADER_DEFAULTS.deleteAfterUpload,
    }),
    keepLocalSeconds: z.number().min(0).max(31_536_000).optional().meta({
      description: 'Seconds that a stored clip stays on the device before it is removed.',
      default: VIDEO_UPLOADER_DEFAULTS.keepLocalSeconds,
    }),
    announceClips: z.boolean().optional().meta({
      description: 'Send the JSON of each stored clip to the output "clips".',
      default: VIDEO_UPLOADER_DEFAULTS.announceClips,
    }),
  })
  .meta({ title: 'VideoUploader twin' });
