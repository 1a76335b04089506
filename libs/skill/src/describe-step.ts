import type { GraphNode } from './graph.ts';
import type { PlanStep } from './plan.ts';

/**
 * How a step is felt. `live`: between two frames, nothing is lost. `swap`: something loads beside and takes over at a
 * frame boundary, nothing is lost. `restart`: the part that is named stops and starts, its frames in between are lost.
 */
export interface StepEffect {
  readonly how: 'live' | 'swap' | 'restart' | 'add' | 'remove';
  /** The node it is about, such as `People/camera gate`. */
  readonly node: string;
  /** A sentence for people. */
  readonly text: string;
}

/** What is felt where a node's settings change. */
const NODE_TEXTS: Readonly<Partial<Record<GraphNode['kind'], string>>> = {
  custom: 'is called anew with its new settings; other branches and cameras do not notice',
  rule: 'its settings apply from the next frame on, and it counts anew',
  snippet: 'its settings apply from the next clip on',
  export: 'its settings apply from the next message on',
};

/** What a step does, for people: before it is applied, or in a log. */
export function describeStep(step: PlanStep): StepEffect {
  const { pipeline } = step;
  switch (step.action) {
    case 'addPipeline':
      return { how: 'add', node: pipeline, text: 'starts; other pipelines do not notice' };
    case 'removePipeline':
      return { how: 'remove', node: pipeline, text: 'ends; its open clips are finished first' };
    case 'addCamera':
      return { how: 'add', node: camera(step), text: 'is opened; the other cameras do not notice' };
    case 'removeCamera':
      return { how: 'remove', node: camera(step), text: 'is closed; its open clip is finished first' };
    case 'reopenCamera':
      return { how: 'restart', node: camera(step), text: `is closed and opened again, because ${step.why}` };
    case 'setPicture':
      return {
        how: 'swap',
        node: camera(step),
        text: `other pictures take over between two frames, because ${step.why}`,
      };
    case 'setRegions':
      return { how: 'live', node: camera(step), text: 'its regions apply from the next frame on' };
    case 'swapModel':
      return {
        how: 'swap',
        node: `${pipeline}/${step.node}`,
        text: `loads beside the one that runs and takes over at a frame boundary, because ${step.why}; if it cannot be loaded the old one stays`,
      };
    case 'addModel':
      return { how: 'swap', node: `${pipeline}/${step.node}`, text: 'joins between two frames when it is loaded' };
    case 'removeModel':
      return { how: 'live', node: `${pipeline}/${step.node}`, text: 'is left out from the next frame on' };
    case 'setAnalytics':
      return {
        how: 'live',
        node: `${pipeline}/analytics`,
        text: 'other rules apply from the next frame on and count anew',
      };
    case 'setRate':
      return { how: 'live', node: camera(step), text: 'another number of frames a second is looked at from now on' };
    case 'setHealth':
      return { how: 'live', node: camera(step), text: 'its view is watched with the new settings from now on' };
    case 'setGraph':
      return {
        how: 'live',
        node: pipeline,
        text: 'its nodes are wired anew between two frames; those that are the same keep what they know',
      };
    case 'setNode':
      return {
        how: step.kind === 'custom' ? 'restart' : 'live',
        node: `${pipeline}/${step.node}`,
        text: NODE_TEXTS[step.kind] ?? 'its settings apply from the next frame on',
      };
    case 'swapTracker':
      return {
        how: 'live',
        node: `${pipeline}/tracker`,
        text: `changes between two frames, because ${step.why}; tracks start anew`,
      };
  }
}

function camera({ pipeline, sensor }: { readonly pipeline: string; readonly sensor: string }): string {
  return `${pipeline}/camera ${sensor}`;
}
