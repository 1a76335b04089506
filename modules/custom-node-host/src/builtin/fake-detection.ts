import { z } from 'zod';
import type { JsonObject } from '@vantage/contracts';
import { CustomNode, type NodeAnswer, type NodeDescription } from '@vantage/custom-node';
import { readSettings } from './settings.ts';

const fraction = z.number().min(0).max(1);

const schema = z.object({
  label: z.string().min(1).max(256).default('car'),
  confidence: fraction.default(0.9),
  box: z.tuple([fraction, fraction, fraction, fraction]).default([0.1, 0.2, 0.3, 0.4]),
});

/** One object that is not there, in every frame: what the public sample answers. To try a skill without a model. */
export class FakeDetection extends CustomNode {
  readonly #answer: NodeAnswer;

  constructor(settings: JsonObject) {
    super();
    const { label, confidence, box } = readSettings('fake-detection', schema, settings);
    const [l, t, w, h] = box;
    const timestamp = { seconds: 10n, nanos: 100 };
    const object = { label, confidence, inferenceId: 'inference_1', bbox: { l, t, w, h }, timestamp };
    this.#answer = { insights: { objects: [object] } };
  }

  override describe(): NodeDescription {
    return { image: 'numpy', response: 'insights' };
  }

  override process(): NodeAnswer {
    return this.#answer;
  }
}
