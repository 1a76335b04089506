import { readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, type ClipDocument, type Inference } from '@vantage/contracts';
import { openClipName, repairHybrid } from '@vantage/media';
import type { Logger } from '@vantage/observability';
import { toInferences } from '../../frame-inferences.ts';
import { toMessage } from '../../inference-messages.ts';
import { regionsOf } from '../clip-document.ts';
import { clipFile, documentFile, journalFile, openClipBase } from './clip-names.ts';
import { readJournal, type JournalEntry, type JournalHead } from './clip-journal.ts';
import { writeWholeFile } from './whole-file.ts';

/**
 * Finishes the clips that were open when their process was killed: as long as their last whole second, with what was
 * noted of it. Call it before the first clip is made. @returns how many there are now
 */
export async function recoverClips(folder: string, logger: Logger): Promise<number> {
  let recovered = 0;
  const names = await readdir(folder);
  for (const name of names) {
    const base = openClipBase(path.join(folder, name));
    if (base === undefined) continue;
    try {
      if (await recoverClip(base)) recovered += 1;
    } catch (error) {
      logger.error(`the clip ${name} of an earlier run could not be finished: ${messageOf(error)}`, {
        code: 'CLIP_UNFINISHED',
      });
    }
  }
  // A journal without a clip: its process ended between the two.
  for (const name of (await readdir(folder)).filter((one) => /^\..+\.json\.part$/.test(one))) {
    const part = name.replace(/\.json\.part$/, '.mp4.part');
    if (!names.includes(part)) await rm(path.join(folder, name), { force: true });
  }
  return recovered;
}

/** @returns false where nothing of it could be saved; then nothing of it is left */
export async function recoverClip(base: string): Promise<boolean> {
  const open = openClipName(clipFile(base));
  const repaired = await repairHybrid(open);
  const journal = await readJournal(journalFile(base));
  if (!repaired || !journal) {
    await Promise.all([rm(open, { force: true }), rm(journalFile(base), { force: true })]);
    return false;
  }
  const { head, entries } = journal;
  const timesUs = repaired.timesUs.map((timeUs) => timeUs + head.firstPtsUs);
  await writeWholeFile(documentFile(base), JSON.stringify(recoveredDocument(head, timesUs, entries)));
  await rename(open, clipFile(base));
  await rm(journalFile(base), { force: true });
  return true;
}

/** As `clipDocument`, from what was noted. */
function recoveredDocument(
  head: JournalHead,
  timesUs: readonly number[],
  noted: readonly JournalEntry[],
): ClipDocument {
  const { sensor, pipelineId, clockMs } = head;
  const size = noted[0]?.inferences[0]?.sourceInfo ?? { width: 1, height: 1 };
  let at = 0;
  let last: JournalEntry | undefined;
  let frameId = 0;
  const inferences = timesUs.flatMap((ptsUs): Inference[] => {
    for (; at < noted.length && (noted[at]?.ptsUs ?? Infinity) <= ptsUs; at += 1) last = noted[at];
    frameId = last?.ptsUs === ptsUs ? last.frameId : frameId + 1;
    const captureTimeMs = clockMs + ptsUs / 1000;
    const { width, height } = size;
    const seen =
      last?.inferences ??
      toInferences(pipelineId, { sensor, width, height, detections: [], frameId, ptsUs, captureTimeMs });
    const timestamp = new Date(captureTimeMs).toISOString();
    return seen.map((entry) => ({ ...entry, sourceInfo: { ...entry.sourceInfo, timestamp, frameId } }));
  });
  const [first = 0, final = 0] = [timesUs[0], timesUs.at(-1)];
  const events = noted.filter(({ ptsUs }) => ptsUs >= first && ptsUs <= final).flatMap((entry) => entry.events);
  return toMessage(regionsOf(head.regions, sensor), inferences, events);
}
