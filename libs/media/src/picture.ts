import type { Dewarp } from './dewarp.ts';

/** A rectangle of source pixels. It may reach over the picture's edge: it is clamped. */
export interface CropRectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** What pictures a caller wants: planar 8-bit G, B, R, scaled into the network's input, never padded. */
export interface PictureRequest {
  /** Pixels of the network's input. Both absent: no scaled picture, which needs `full`. */
  readonly networkWidth?: number;
  readonly networkHeight?: number;
  /** True: scaled to fit inside, so one side may be smaller than the network's. False: stretched to it. */
  readonly keepAspect?: boolean;
  readonly crop?: CropRectangle;
  /** Hand over only every n-th frame of the source, starting with the first. */
  readonly everyNth?: number;
  /** At most so many frames a second, evenly chosen by their times; `everyNth` counts those. */
  readonly maxFps?: number;
  /** Hand over every picture at the source's own resolution (of the crop), too. */
  readonly full?: boolean;
  /** swscale flags. The default gives full-resolution colour (the fast paths are off by up to 174 levels at edges). */
  readonly scaleFlags?: string;
}

export const DEFAULT_SCALE_FLAGS = 'bicubic';

/** Whether two pictures of a frame are wanted, each on a pipe of its own. */
export function hasTwoPictures({ full, networkWidth }: PictureRequest): boolean {
  return full === true && networkWidth !== undefined;
}

/** The filter chain for a request. Padding is left to whoever fills the tensor: it is never sent. */
export function pictureFilter(request: PictureRequest): string {
  return [...viewFilters(request), scaleFilter(request)].join(',');
}

/** Which frames, and which part of them. */
function viewFilters({ everyNth, maxFps, crop }: PictureRequest): string[] {
  const filters: string[] = [];
  if (maxFps !== undefined) filters.push(rateFilter(maxFps));
  if (everyNth !== undefined && everyNth > 1) filters.push(`select='not(mod(n,${Math.floor(everyNth)}))'`);
  if (crop !== undefined) {
    const left = Math.max(0, Math.floor(crop.left));
    const top = Math.max(0, Math.floor(crop.top));
    const width = Math.max(1, Math.floor(crop.width));
    const height = Math.max(1, Math.floor(crop.height));
    filters.push(
      `crop=w='max(1,min(${width},iw-${left}))':h='max(1,min(${height},ih-${top}))'` +
        `:x='min(${left},iw-1)':y='min(${top},ih-1)':exact=1`,
    );
  }
  return filters;
}

/**
 * The first frame of each of `fps` equal parts of a second. A grid of time instead of a least distance: 10 of 25 frames
 * are 10, not 8.3. The little that is added keeps a frame that lies on the grid on the right side of it.
 */
function rateFilter(fps: number): string {
  const part = (time: string): string => `floor(${time}*${fps}+0.001)`;
  return `select='isnan(prev_selected_t)+isnan(t)+not(eq(${part('t')},${part('prev_selected_t')}))'`;
}

function scaleFilter({ networkWidth, networkHeight, keepAspect, scaleFlags }: PictureRequest): string {
  const aspect = keepAspect === true ? ':force_original_aspect_ratio=decrease' : '';
  const flags = scaleFlags ?? DEFAULT_SCALE_FLAGS;
  if (networkWidth === undefined || networkHeight === undefined) return `scale=flags=${flags},format=gbrp`;
  return `scale=${networkWidth}:${networkHeight}${aspect}:flags=${flags},format=gbrp`;
}

/** Names of the outputs of `pictureGraph`. */
export const GRAPH_OUTPUTS = { small: 'small', full: 'full', encoded: 'straight' } as const;

/**
 * The filter graph where one chain is not enough: the full picture beside the small one, and a dewarped stream, which
 * is dewarped once and goes into clips, too.
 */
export function pictureGraph(
  request: PictureRequest | undefined,
  dewarp: Dewarp | undefined,
  encoded: boolean,
): string {
  const source = '[0:V:0]';
  const straight = dewarp && encoded ? `[${GRAPH_OUTPUTS.encoded}]` : '';
  const lens = dewarp ? `${dewarp.filter}` : 'null';
  if (!request) return `${source}${lens},format=yuv420p${straight}`;
  const parts: string[] = [];
  let from = source;
  if (straight !== '') {
    parts.push(`${source}${lens},split=2[seen][kept]`, `[kept]format=yuv420p${straight}`);
    from = '[seen]';
  }
  const view = [...(straight === '' && dewarp ? [lens] : []), ...viewFilters(request)];
  const small = `${scaleFilter(request)}[${GRAPH_OUTPUTS.small}]`;
  if (!hasTwoPictures(request)) parts.push(`${from}${[...view, small].join(',')}`);
  else {
    const flags = request.scaleFlags ?? DEFAULT_SCALE_FLAGS;
    parts.push(`${from}${[...view, 'split=2'].join(',')}[a][b]`, `[a]${small}`);
    parts.push(`[b]scale=flags=${flags},format=gbrp[${GRAPH_OUTPUTS.full}]`);
  }
  return parts.join(';');
}

/** Bytes of a picture: three planes, tightly packed. */
export function pictureBytes(width: number, height: number): number {
  return width * height * 3;
}
