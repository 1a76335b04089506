import { imageNameError } from './errors.ts';

const IMAGE =
  /^(?:(?<registry>[^/:@]+(?::\d+)?)\/)?(?<path>[^:@]+)(?::(?<tag>[\w][\w.-]*))?(?:@(?<digest>[\w+.-]+:[0-9a-fA-F]+))?$/;

export interface ImageName {
  /** The whole name, trimmed, with a tag. */
  readonly name: string;
  /** Before the first slash when that looks like a host: it has a dot, a port, or is localhost or `$upstream`. */
  readonly registry?: string;
  readonly repository: string;
  readonly tag: string;
  readonly digest?: string;
}

/**
 * Parses an image name as edgeAgent does: trimmed, at most one tag, `latest` when there is none. `$upstream:443/x` is
 * an image of the parent device's registry.
 * @throws VantageError IMAGE_NAME
 */
export function parseImage(image: string | null): ImageName {
  const trimmed = image?.trim() ?? '';
  const groups = IMAGE.exec(trimmed)?.groups;
  const { registry, path, tag = 'latest', digest } = groups ?? {};
  if (path === undefined || /\s/.test(trimmed)) throw imageNameError(trimmed);
  const isHost =
    registry !== undefined && (/[.:]/.test(registry) || registry === 'localhost' || registry === '$upstream');
  const repository = isHost || registry === undefined ? path : `${registry}/${path}`;
  const name = `${isHost ? `${registry}/` : ''}${repository}:${tag}${digest === undefined ? '' : `@${digest}`}`;
  return { name, repository, tag, ...(isHost ? { registry } : {}), ...(digest === undefined ? {} : { digest }) };
}
