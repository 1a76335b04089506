import { readFileSync } from 'node:fs';
import path from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { messageOf, MODULES, readVideoUploaderTwin } from '@vantage/contracts';
import { EdgeModule, KeptDocument } from '@vantage/edge-client';
import { resolveVolume, runModule } from '@vantage/observability';
import { readStorageChoice } from './environment.ts';
import { Journal } from './journal.ts';
import { openStorage } from './storage/clip-storage.ts';
import { VideoUploader } from './video-uploader.ts';

await runModule({
  name: MODULES.videoUploader,
  start: async (context) => {
    const { env, logger, metrics, signal } = context;
    // Of the local runtime's servers; IoT Hub and Azure Storage have certificates that everybody knows.
    const caFile = env['VANTAGE_CA_FILE'];
    if (caFile) setDefaultCACertificates([...getCACertificates('default'), readFileSync(caFile, 'utf8')]);
    const folder = env['VIDEO_UPLOADER_FOLDER'] ?? resolveVolume('/app/VideoUploaderCache', env);
    const stateFolder = path.join(env['VANTAGE_STATE_DIR'] ?? resolveVolume('/var/lib/vantage', env), 'uploader');
    const deviceId = env['IOTEDGE_DEVICEID'] ?? 'device';
    const choice = readStorageChoice(env);
    const longestPauseSeconds = Number(env['VIDEO_UPLOADER_MAX_PAUSE_SECONDS']);
    const { storage, noStorage } = open();
    const edge = new EdgeModule(context);
    signal.addEventListener('abort', () => void edge.close(), { once: true });
    // Uploads go on, and start, without the edge hub.
    edge.start();
    const uploader = new VideoUploader({
      ...{ edge, logger, metrics, storage, folder, deviceId },
      ...(noStorage === undefined ? {} : { noStorage }),
      ...(longestPauseSeconds > 0 ? { backoff: { capMs: longestPauseSeconds * 1000 } } : {}),
      journal: Journal.open(stateFolder, logger),
      kept: new KeptDocument(path.join(stateFolder, 'settings.json'), (value) => readVideoUploaderTwin(value).settings),
    });
    await uploader.start();
    return {
      stop: async () => {
        await uploader.stop();
        await edge.close();
      },
    };

    function open() {
      if (choice.kind === 'none') return { storage: undefined, noStorage: choice.reason };
      try {
        return { storage: openStorage(choice, deviceId), noStorage: undefined };
      } catch (error) {
        return { storage: undefined, noStorage: `the storage that is configured cannot be used: ${messageOf(error)}` };
      }
    }
  },
});
