/**
 * The recorder of the ai-pipeline alone, in a process that may be killed: a clip a second out of a camera that never ends.
 *
 * argv: folder of recordings, video that stands for the camera, `run` or `drain` (only finish what a killed one left open)
 */
import { resolveFfmpeg, VideoSource } from '@vantage/media';
import { createLogger } from '@vantage/observability';
import { ClipRecorder } from '../../modules/ai-pipeline/src/camera/clip-recorder.ts';
import { recoverClips } from '../../modules/ai-pipeline/src/camera/clips/recover-clips.ts';

const [folder = '', video = '', mode = 'run'] = process.argv.slice(2);
const logger = createLogger({ module: 'recorder', level: 'error' });
const sensor = 'gate';

await recoverClips(folder, logger);
if (mode === 'run') {
  const ffmpeg = await resolveFfmpeg();
  const recorder = new ClipRecorder({
    ...{ sensor, ffmpeg, regions: [] },
    settings: {
      ...{ folder, prefix: 'people', sensorSuffix: false, pipelineId: 'People' },
      ...{ preRollSeconds: 0, clipSeconds: 1, autoStopSeconds: 0 },
    },
    onState: () => undefined,
    onClip: () => undefined,
    onProblem: (code, message) => logger.error(message, { code }),
  });
  let frameId = 0;
  const detection = {
    ...{ classId: 0, confidence: 0.9, label: 'person', box: { left: 0, top: 0, width: 90, height: 90 } },
    ...{ trackingId: 1, componentId: 1, attributes: [] },
  };
  new VideoSource(
    { url: video, ffmpeg, picture: undefined, encoded: true, pace: 'realtime', loop: true, reconnect: false, logger },
    {
      onHeader: (bytes) => recorder.onHeader(bytes),
      onPacket: (packet) => {
        const captureTimeMs = Date.now();
        recorder.record(true, 'always');
        recorder.onPacket(packet, captureTimeMs);
        frameId += 1;
        const { ptsUs } = packet;
        recorder.onInsights({
          ...{ sensor, frameId, ptsUs, captureTimeMs, width: 640, height: 360 },
          detections: [detection],
        });
      },
    },
  ).start();
}
