/** A rectangle of source pixels. It may reach over the picture's edge: it is clamped. */
export interface CropRectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** What pictures a caller wants: planar 8-bit G, B, R, scaled into the network's input, never padded. */
export interface PictureRequest {
  /** Pixels of the network's input. */
  readonly networkWidth: number;
  readonly networkHeight: number;
  /** True: scaled to fit inside, so one side may be smaller than the network's. False: stretched to it. */
  readonly keepAspect: boolean;
  readonly crop?: CropRectangle;
  /** Hand over only every n-th frame of the source, starting with the first. */
  readonly everyNth?: number;
  /** swscale flags. The default gives full-resolution colour (the fast paths are off by up to 174 levels at edges). */
  readonly scaleFlags?: string;
}

export const DEFAULT_SCALE_FLAGS = 'bicubic';

/** The filter chain for a request. Padding is left to whoever fills the tensor: it is never sent. */
export function pictureFilter(request: PictureRequest): string {
  const filters: string[] = [];
  if (request.everyNth !== undefined && request.everyNth > 1) {
    filters.push(`select='not(mod(n,${Math.floor(request.everyNth)}))'`);
  }
  const crop = request.crop;
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
  const aspect = request.keepAspect ? ':force_original_aspect_ratio=decrease' : '';
  const flags = request.scaleFlags ?? DEFAULT_SCALE_FLAGS;
  filters.push(`scale=${request.networkWidth}:${request.networkHeight}${aspect}:flags=${flags}`, 'format=gbrp');
  return filters.join(',');
}

/** Bytes of a picture: three planes, tightly packed. */
export function pictureBytes(width: number, height: number): number {
  return width * height * 3;
}
