import { customNode, messageOf } from '@vantage/contracts';
import type { NodeFailure } from '../errors.ts';
import { decodePicture } from '../images/encoding.ts';
import type { NodeInsights, NodePicture, NodeWants } from '../types.ts';
import type { PictureFacts } from '../wire/encode.ts';
import { insightsFromWire } from '../wire/insights.ts';

export interface ReadAnswer {
  readonly insights?: NodeInsights;
  readonly image?: NodePicture;
  readonly rejected: number;
}

export interface AnswerContext {
  readonly seq: bigint;
  readonly wants: NodeWants;
  /** What was sent: the size that a numpy answer without properties has. */
  readonly sent: PictureFacts;
  /** Pixels that came beside the message. */
  readonly beside: Buffer | undefined;
  readonly what: string;
}

/**
 * Takes from an answer what its handshake has announced: pictures for `image`, insights for `insights`, nothing for
 * `empty`. One leniency: `image` is what a node announces that says nothing (0), and the reference reads insights
 * whatever was announced; so an answer to `image` that has insights and no picture counts as insights.
 */
export async function readAnswer(bytes: Buffer, context: AnswerContext): Promise<ReadAnswer | NodeFailure> {
  let response: customNode.ProcessResponse;
  try {
    response = customNode.ProcessResponse.decode(bytes);
  } catch (error) {
    return invalid(context, `the answer cannot be read: ${messageOf(error)}`);
  }
  if (response.ack !== context.seq)
    return {
      code: 'CUSTOM_NODE_ACK_WRONG',
      message: `${context.what}: call ${context.seq} was acknowledged as ${response.ack}`,
    };
  const kind = context.wants.response;
  const pointer = context.beside ?? response.image?.imagePointer;
  const hasImage = pointer !== undefined && pointer.length > 0;
  const takesInsights = kind === 'insights' || kind === 'imageAndInsights' || (kind === 'image' && !hasImage);
  const read =
    takesInsights && response.insightsMeta !== undefined ? insightsFromWire(response.insightsMeta) : undefined;
  const said = { rejected: read?.rejected ?? 0, ...(read === undefined ? {} : { insights: read.insights }) };
  if (!hasImage || (kind !== 'image' && kind !== 'imageAndInsights')) return said;
  try {
    return { ...said, image: await readPicture(pointer, response.image?.properties, context) };
  } catch (error) {
    return invalid(context, messageOf(error));
  }
}

async function readPicture(
  pointer: Uint8Array,
  properties: customNode.ImageProperties | undefined,
  { wants, sent }: AnswerContext,
): Promise<NodePicture> {
  const bytes = Buffer.from(pointer.buffer as ArrayBuffer, pointer.byteOffset, pointer.byteLength);
  const isRgb = properties?.colorFormat === customNode.ColorFormat.COLOR_FORMAT_RGB;
  const silent = properties === undefined || (properties.width === 0n && properties.height === 0n);
  const numpy = wants.answerImage === 'numpy';
  return decodePicture(bytes, wants.answerImage, {
    width: silent ? (numpy ? sent.width : 0) : Number(properties.width),
    height: silent ? (numpy ? sent.height : 0) : Number(properties.height),
    colorFormat: isRgb ? 'RGB' : 'BGR',
  });
}

function invalid({ what }: AnswerContext, reason: string): NodeFailure {
  return { code: 'CUSTOM_NODE_ANSWER_INVALID', message: `${what}: ${reason}` };
}
