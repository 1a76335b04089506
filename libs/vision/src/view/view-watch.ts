import { isFault } from './faults.ts';
import { measureView, type UsualView, type ViewMeasures } from './measure.ts';
import { VIEW_FAULTS, secondsOfFault, type ViewFault, type ViewSettings, type ViewState } from './settings.ts';
import { broadLight, stepsOf } from './structure.ts';
import type { Thumbnail } from './thumbnail.ts';

/** A view is known after this much of it without a fault. */
const LEARN_US = 8_000_000;
/** Afterwards it follows daylight and what is parked in it slowly, from the one time to the other as it grows old. */
const FOLLOW_US = [60_000_000, 600_000_000] as const;
/** What passes by counts for this long. */
const SMOOTH_US = 2_500_000;
/** A fault is over when it has been gone for so long. */
const CLEAR_US = 3_000_000;
/** A camera that stays moved looks there on purpose: this becomes its view. */
const ACCEPT_US = 300_000_000;
/** Longer without a picture: another time line. */
const GAP_US = 30_000_000;

export interface ViewChange {
  readonly state: ViewState;
  readonly was: ViewState;
  /** When it began, microseconds of the stream: earlier than now by the time that it had to last. */
  readonly sinceUs: number;
  readonly measures: ViewMeasures;
}

/**
 * Says whether a camera's view is worth looking at: black, covered, out of focus, frozen, or another one than before.
 * Pure: goes by the pictures and their own time. A few looks a second are enough.
 */
export class ViewWatch {
  readonly #settings: ViewSettings;
  #state: ViewState = 'ok';
  #sinceUs = 0;
  #before: Thumbnail | undefined;
  #beforeUs = 0;
  #smooth: Float32Array | undefined;
  #usual: UsualView | undefined;
  #learnedUs = 0;
  /** Since when a fault holds, or (of the one that is told) does not. */
  readonly #holdsSince = new Map<ViewFault, number>();
  #clearSince: number | undefined;

  constructor(settings: ViewSettings) {
    this.#settings = settings;
  }

  get state(): ViewState {
    return this.#state;
  }

  /** Another scene: nothing is usual any more. What is told stays told until pictures say otherwise. */
  reset(): void {
    this.#before = undefined;
    this.#smooth = undefined;
    this.#usual = undefined;
    this.#learnedUs = 0;
    this.#holdsSince.clear();
    this.#clearSince = undefined;
  }

  /** @returns what changed, mostly nothing */
  look(now: Thumbnail, timeUs: number): ViewChange | undefined {
    const before = this.#before;
    if (before && (before.grey.length !== now.grey.length || before.columns !== now.columns)) this.reset();
    else if (before && (timeUs <= this.#beforeUs || timeUs - this.#beforeUs > GAP_US)) this.reset();
    const passedUs = this.#before ? timeUs - this.#beforeUs : 0;
    const smooth = this.#smoothed(now, passedUs);
    const known = this.#learnedUs >= LEARN_US ? this.#usual : undefined;
    const measures = measureView(now, this.#before, smooth, known);
    this.#before = now;
    this.#beforeUs = timeUs;
    const faults = this.#faultsOf(measures, known);
    const change = this.#step(faults, timeUs, measures);
    if (faults.size === 0 && this.#state === 'ok') this.#learn(now, passedUs);
    return change;
  }

  #faultsOf(measures: ViewMeasures, usual: UsualView | undefined): ReadonlySet<ViewFault> {
    const { sensitivity } = this.#settings;
    return new Set(
      VIEW_FAULTS.filter(
        (fault) =>
          secondsOfFault(this.#settings, fault) > 0 &&
          isFault[fault](measures, { usual, sensitivity, isTold: this.#state === fault }),
      ),
    );
  }

  #step(faults: ReadonlySet<ViewFault>, timeUs: number, measures: ViewMeasures): ViewChange | undefined {
    for (const fault of VIEW_FAULTS) {
      if (!faults.has(fault)) this.#holdsSince.delete(fault);
      else if (!this.#holdsSince.has(fault)) this.#holdsSince.set(fault, timeUs);
    }
    const lasting = VIEW_FAULTS.find((fault) => {
      const since = this.#holdsSince.get(fault);
      return since !== undefined && timeUs - since >= secondsOfFault(this.#settings, fault) * 1e6;
    });
    const current = this.#state;
    if (lasting !== undefined && lasting !== current && isGraver(lasting, current)) {
      return this.#become(lasting, this.#holdsSince.get(lasting) ?? timeUs, measures);
    }
    if (current === 'ok') return undefined;
    if (current === 'moved' && timeUs - this.#sinceUs >= ACCEPT_US) {
      this.reset();
      return this.#become('ok', timeUs, measures);
    }
    if (faults.has(current)) this.#clearSince = undefined;
    else {
      this.#clearSince ??= timeUs;
      if (timeUs - this.#clearSince >= CLEAR_US) {
        return lasting === undefined || lasting === current
          ? this.#become('ok', this.#clearSince, measures)
          : this.#become(lasting, this.#holdsSince.get(lasting) ?? timeUs, measures);
      }
    }
    return undefined;
  }

  #become(state: ViewState, sinceUs: number, measures: ViewMeasures): ViewChange {
    const was = this.#state;
    this.#state = state;
    this.#sinceUs = sinceUs;
    this.#clearSince = undefined;
    return { state, was, sinceUs, measures };
  }

  #smoothed({ grey }: Thumbnail, passedUs: number): Float32Array {
    const smooth = this.#smooth;
    if (!smooth) return (this.#smooth = Float32Array.from(grey));
    blend(smooth, grey, 1 - Math.exp(-passedUs / SMOOTH_US));
    return smooth;
  }

  #learn(now: Thumbnail, passedUs: number): void {
    const usual = this.#usual;
    this.#learnedUs += passedUs;
    const [young, old] = FOLLOW_US;
    const age = this.#learnedUs < LEARN_US ? this.#learnedUs : Math.min(Math.max(this.#learnedUs, young), old);
    const part = Math.min(1, passedUs / Math.max(age, 1));
    const grey = usual?.grey ?? Float32Array.from(now.grey);
    if (usual) blend(grey, now.grey, part);
    const steepness = usual?.steepness ?? now.steepness;
    this.#usual = {
      grey,
      steps: stepsOf(now, grey),
      broad: broadLight(now, grey),
      steepness: Number.isNaN(steepness)
        ? now.steepness
        : Number.isNaN(now.steepness)
          ? steepness
          : steepness + part * (now.steepness - steepness),
    };
  }
}

/** While one thing is told, only what says more takes its place at once. */
function isGraver(fault: ViewFault, current: ViewState): boolean {
  return current === 'ok' || VIEW_FAULTS.indexOf(fault) < VIEW_FAULTS.indexOf(current);
}

function blend(into: Float32Array, from: Float32Array, part: number): void {
  for (let at = 0; at < into.length; at += 1) {
    into[at] = (into[at] as number) + part * ((from[at] as number) - (into[at] as number));
  }
}
