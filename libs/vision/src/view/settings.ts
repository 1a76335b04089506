/** What may be wrong with a view. One at a time: the first of this list that holds. */
export const VIEW_FAULTS = ['black', 'covered', 'blurred', 'frozen', 'moved'] as const;

export type ViewFault = (typeof VIEW_FAULTS)[number];
export type ViewState = 'ok' | ViewFault;

/** How long a fault has to last before it is told, seconds of the stream's own time; 0 switches it off. */
export interface ViewSettings {
  readonly blackSeconds: number;
  readonly coveredSeconds: number;
  readonly blurredSeconds: number;
  readonly frozenSeconds: number;
  readonly movedSeconds: number;
  /** 1 is as measured on real cameras; 2 tells smaller faults (and more that are none), 0.5 only gross ones. */
  readonly sensitivity: number;
}

export const VIEW_DEFAULTS: ViewSettings = {
  blackSeconds: 3,
  coveredSeconds: 5,
  blurredSeconds: 10,
  frozenSeconds: 20,
  movedSeconds: 10,
  sensitivity: 1,
};

export function secondsOfFault(settings: ViewSettings, fault: ViewFault): number {
  return settings[`${fault}Seconds`];
}
