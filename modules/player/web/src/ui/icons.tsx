import type { JSX } from 'preact';

const PATHS = {
  cameras: 'M4 7h11v10H4zM15 10l5-3v10l-5-3',
  live: 'M12 12m-2.5 0a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0M6.5 6.5a8 8 0 0 0 0 11M17.5 6.5a8 8 0 0 1 0 11',
  clips: 'M4 6h16v12H4zM10 9.5l5 2.5-5 2.5z',
  regions: 'M5 8l8-4 7 7-4 9-10-3zM5 8h.01M13 4h.01M20 11h.01M16 20h.01M6 17h.01',
  configuration: 'M4 7h9M17 7h3M4 17h3M11 17h9M13 7a2 2 0 1 0 4 0a2 2 0 1 0-4 0M7 17a2 2 0 1 0 4 0a2 2 0 1 0-4 0',
  models: 'M12 3l8 4.5v9L12 21l-8-4.5v-9zM12 12l8-4.5M12 12v9M12 12L4 7.5',
  health: 'M3 12h4l2.5-6 5 12 2.5-6h4',
  why: 'M12 21a9 9 0 1 0 0-18a9 9 0 0 0 0 18M9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7M12 16.5h.01',
  play: 'M8 5l11 7-11 7z',
  pause: 'M8 5v14M16 5v14',
  previous: 'M7 5v14M18 5l-9 7 9 7z',
  next: 'M17 5v14M6 5l9 7-9 7z',
  undo: 'M9 14l-4-4 4-4M5 10h9a5 5 0 0 1 0 10h-3',
  redo: 'M15 14l4-4-4-4M19 10h-9a5 5 0 0 0 0 10h3',
  trash: 'M5 7h14M10 7V5h4v2M7 7l1 13h8l1-13',
  download: 'M12 4v11M8 11l4 4 4-4M5 20h14',
  full: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  plus: 'M12 5v14M5 12h14',
  sun: 'M12 8a4 4 0 1 0 0 8a4 4 0 0 0 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.5M17.5 17.5L19 19M19 5l-1.5 1.5M6.5 17.5L5 19',
  leave: 'M14 4h5v16h-5M4 12h10M10 8l4 4-4 4',
  left: 'M14 6l-6 6 6 6',
  right: 'M10 6l6 6-6 6',
} as const;

export type IconName = keyof typeof PATHS;

/** A drawing for the eye only: the button or link it stands in says what it does. */
export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }): JSX.Element {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark of the house. */
export function Mark(): JSX.Element {
  return (
    <svg class="brand-mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M6 12V6h6M20 6h6v6M26 20v6h-6M12 26H6v-6" />
      <circle cx="16" cy="16" r="4.5" />
    </svg>
  );
}
