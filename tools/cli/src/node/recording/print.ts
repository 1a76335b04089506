import pc from 'picocolors';
import { recordNode, type RecordOptions } from './record.ts';
import { replay, type ReplayOptions } from './replay.ts';

const SHOWN = 20;

export async function runRecord(options: RecordOptions): Promise<void> {
  const { frames, bytes } = await recordNode(options);
  if (options.json) process.stdout.write(`${JSON.stringify({ file: options.out, frames, bytes })}\n`);
  else process.stdout.write(`${options.out}: ${frames} frames, ${(bytes / 1024 / 1024).toFixed(1)} MiB\n`);
}

/** @returns whether every answer is as it was */
export async function runReplay(options: ReplayOptions & { readonly json: boolean }): Promise<boolean> {
  let shown = 0;
  const report = await replay(options, ({ frame, found }) => {
    if (options.json || ++shown > SHOWN) return;
    process.stdout.write(`${pc.yellow(`frame ${frame}`)}  ${found.join('; ').replaceAll(/\p{Cc}/gu, ' ')}\n`);
  });
  const { frames, same, different, medianMs } = report;
  if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else {
    const more = different > SHOWN ? `(${different - SHOWN} more differ)\n` : '';
    process.stdout.write(
      `${more}${frames} frames: ${same} as recorded, ${different} differ; ${medianMs.now} ms a frame, recorded ${medianMs.recorded} ms\n`,
    );
  }
  return different === 0;
}
