import { Ledger, lastOfEach } from '../ledger.ts';
import type { ConfigFormat, ConfigReading } from '../report.ts';
import { byGroup, notUsed, readGroup, used, type Rule, type Rules } from '../rules.ts';
import type { ConfigText } from '../text/entries.ts';
import { flag, integer, integers, string, type Draft } from '../values.ts';

/** What NVIDIA's low-level tracker does, as far as the name of its library tells. */
export type TrackerLibrary = 'multi-object' | 'iou' | 'klt' | 'nvdcf' | 'other';

/** `[tracker]`: the file that `trackerConfigPath` names. Source: the Gst-nvtracker page of the documentation. */
export interface TrackerSpec {
  readonly kind: 'tracker';
  readonly fileName: string;
  /** `ll-lib-file`, as written. Not loaded. */
  readonly libraryFile: string | undefined;
  /** What that library is; `multi-object` says nothing without `settingsFile`. */
  readonly library: TrackerLibrary | undefined;
  /** `ll-config-file`: settings of the tracker, relative to this file. Of a list with `;` the first. */
  readonly settingsFile: string | undefined;
  /** Size in pixels of the pictures NVIDIA's tracker works on; ours works on boxes in source pixels. */
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly gpuId: number;
  /** Class ids that are tracked; empty for all. */
  readonly operateOnClassIds: readonly number[];
}

export type TrackerConfig = ConfigReading<'tracker', TrackerSpec>;
type TrackerDraft = Draft<TrackerSpec>;

const PIXELS = 'tracking here works on boxes, not on pictures of a size';
const BATCH = 'every camera has a tracker of its own here';
const META = 'it fills metadata of DeepStream';

const RULES: Rules<TrackerDraft> = new Map<string, Rule<TrackerDraft>>([
  ['ll-config-file', used(string((d, v) => void (d.settingsFile = v.split(';')[0]?.trim())))],
  [
    'll-lib-file',
    used(
      string((d, v) => {
        d.libraryFile = v;
        d.library = libraryOf(v);
      }),
    ),
  ],
  [
    'tracker-width',
    notUsed(
      PIXELS,
      integer({ min: 0 }, (d, v) => void (d.width = v)),
    ),
  ],
  [
    'tracker-height',
    notUsed(
      PIXELS,
      integer({ min: 0 }, (d, v) => void (d.height = v)),
    ),
  ],
  [
    'gpu-id',
    notUsed(
      'tracking runs on the CPU',
      integer({ min: 0 }, (d, v) => void (d.gpuId = v)),
    ),
  ],
  ['operate-on-class-ids', used(integers(-1, (d, v) => void (d.operateOnClassIds = v.filter((id) => id >= 0))))],
  ['enable-batch-process', notUsed(BATCH, flag(ignore))],
  ['enable-past-frame', notUsed('past frames are not looked up', flag(ignore))],
  ['sub-batches', notUsed(BATCH)],
  ['sub-batch-err-recovery-trial-cnt', notUsed(BATCH)],
  ['tracking-surface-type', notUsed('one tracker serves one camera; there are no surfaces')],
  ['tracking-id-reset-mode', notUsed('ids go on counting when a camera comes back, so that none is given twice')],
  ['display-tracking-id', notUsed('the overlay says what it shows (pipelineOptions.osd)', flag(ignore))],
  ['compute-hw', notUsed('tracking runs on the CPU')],
  ['input-tensor-meta', notUsed(META)],
  ['tensor-meta-gie-id', notUsed(META)],
  ['user-meta-pool-size', notUsed(META)],
  ['ll-output-terminated', notUsed(META)],
  ['enable', notUsed('a tracker runs when trackerConfigPath names it', flag(ignore))],
]);

/** Reads `[tracker]` of a text whose kind is known. */
export function readTracker(text: ConfigText, format: ConfigFormat, fileName: string): TrackerConfig {
  const ledger = new Ledger(fileName);
  ledger.problems.push(...text.problems);
  const spec: TrackerDraft = {
    kind: 'tracker',
    fileName,
    libraryFile: undefined,
    library: undefined,
    settingsFile: undefined,
    width: undefined,
    height: undefined,
    gpuId: 0,
    operateOnClassIds: [],
  };
  for (const [group, entries] of byGroup(lastOfEach(text.entries, ledger))) {
    if (group === 'tracker') readGroup(entries, RULES, spec, ledger, 'nvtracker');
    else for (const entry of entries) ledger.leaveOut(entry, `nvtracker has no section [${group}]`);
  }
  if (spec.libraryFile === undefined && spec.settingsFile === undefined) {
    const sentence = 'neither ll-lib-file nor ll-config-file says which tracker; the built-in default runs';
    ledger.problem('warning', { line: 0, key: 'll-config-file' }, sentence);
  }
  return { kind: 'tracker', format, fileName, spec, properties: ledger.properties, problems: ledger.problems };
}

function libraryOf(file: string): TrackerLibrary {
  const name = file.split('/').at(-1) ?? '';
  if (name.includes('nvmultiobjecttracker')) return 'multi-object';
  if (name.includes('mot_iou')) return 'iou';
  if (name.includes('mot_klt')) return 'klt';
  return name.includes('nvdcf') ? 'nvdcf' : 'other';
}

function ignore(): void {
  // The value is checked and goes nowhere.
}
