import { Command } from 'commander';
import { number, wholeNumber } from '../option-values.ts';
import type { TrackOptions } from './track.ts';

export function trackCommand(): Command {
  return new Command('track')
    .summary('tracks of detections, and their score')
    .description('give the detections of a MOT-Challenge file their ids, and score the result against ground truth')
    .requiredOption('--detections <file>', 'frame,id,left,top,width,height,confidence a line; id is not looked at')
    .option('--out <file>', 'write the tracks in the same form')
    .option('--tracker <name>', 'iou, sort, bytetrack, nvdcf, deepsort or light-tracker (default: bytetrack)')
    .option('--config <file>', 'tracker configuration of DeepStream ([tracker] or the low-level YAML) instead')
    .option('--fps <n>', 'frames a second', number(0.1, 1000), 30)
    .option('--min-hits <n>', 'detections in a row before a track gets its id (default: 3)', wholeNumber(0))
    .option('--gt <file>', 'ground truth: print CLEAR, identity and HOTA scores')
    .option('--json', 'one JSON document', false)
    .action(async (options: TrackOptions) => {
      const { runTrack } = await import('./track.ts');
      process.stdout.write(await runTrack(options));
    });
}
