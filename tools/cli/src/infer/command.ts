import { Command } from 'commander';
import { collect, wholeNumber } from '../option-values.ts';
import type { InferOptions } from './infer.ts';

export function inferCommand(): Command {
  return new Command('infer')
    .summary('look at a picture or video with a model')
    .description('look at an image, a video or a folder of images with a model, exactly as the ai-pipeline does')
    .argument('<input>', 'image, video or folder of images')
    .requiredOption('--config <path>', 'nvinfer configuration file, or a zip or folder that holds one')
    .option(
      '--secondary <path>',
      'a model that looks at the objects of the one before; again for more, in the order of the cascade',
      collect,
      [] as readonly string[],
    )
    .option('--parser <name>', 'output parser, where names and shapes do not tell')
    .option('--parser-file <file>', 'an output parser of your own, in Python or JavaScript')
    .option('--tracker', 'give objects that stay the same id', false)
    .option('--tracker-config <file>', 'the same, with a tracker configuration of DeepStream')
    .option('--json', 'one JSON line a frame', false)
    .option('--draw <file>', 'write the (first) picture with its boxes, as PNG')
    .option('--max-frames <n>', 'stop after so many frames of a video', wholeNumber(1))
    .option('--verbose', 'also print what the configuration says and the model reports', false)
    .action(async (input: string, options: Omit<InferOptions, 'input'>) => {
      // Loaded when asked for: the engine is most of what starting the command line would cost.
      const { runInfer } = await import('./infer.ts');
      await runInfer({ ...options, input });
    });
}
