import { VantageError } from '@vantage/contracts';

export interface CustomImage {
  /** Image of the ai-pipeline to build on. */
  readonly base: string;
  /** `SRC DST` each. */
  readonly add: readonly string[];
  readonly run: readonly string[];
}

/**
 * A Dockerfile for an ai-pipeline with something of one's own: COPYs first, then RUNs, as root; the module runs as `node`
 * as before.
 *
 * @throws VantageError CUSTOM_IMAGE_INVALID
 */
export function customDockerfile({ base, add, run }: CustomImage): string {
  const copies = add.map((text) => {
    const [source, target, ...more] = text.trim().split(/\s+/);
    if (source === undefined || target === undefined || more.length > 0) {
      throw invalid(`--add ${JSON.stringify(text)} is not "SRC DST" (paths without blanks)`);
    }
    if (source.startsWith('/') || source.split('/').includes('..')) {
      throw invalid(`--add ${JSON.stringify(text)}: a build copies from its own folder only; put ${source} into it`);
    }
    return `COPY ${source} ${target}`;
  });
  const runs = run.map((text) => {
    if (/[\r\n]/.test(text)) throw invalid('--run takes one line; join commands with &&');
    return `RUN ${text}`;
  });
  const own = [...copies, ...runs];
  return [
    '# Made by "vantage image create"; build it with "vantage image build --path <this file> --tag <tag>".',
    `FROM ${base}`,
    ...(own.length > 0 ? ['USER root', ...own, 'USER node'] : []),
    '',
  ].join('\n');
}

function invalid(message: string): VantageError {
  return new VantageError('CUSTOM_IMAGE_INVALID', message);
}
