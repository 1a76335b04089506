import type { GraphNode, ModelNode, ModelPackage } from '../../graph.ts';
import type { SkillNode } from '../document.ts';
import type { Fields } from '../fields.ts';

/** A model that skills name. */
export interface SkillModel {
  readonly name: string;
  readonly package?: ModelPackage;
  readonly configFile: string;
  readonly parser?: string;
  readonly pyFile?: string;
  readonly jsFile?: string;
  /** A classifier behind a detector looks at its objects. Default `detection`. */
  readonly type?: 'detection' | 'classification';
}

/** What a node of a document says, before it is known where it stands in the graph. */
export type ReadNode =
  | { readonly kind: 'source'; readonly maxFps: number }
  | {
      readonly kind: 'model';
      readonly model: Omit<ModelNode, 'role'>;
      readonly type: 'detection' | 'classification';
      readonly operateOn?: 'frame' | 'objects';
    }
  | { readonly kind: 'node'; readonly node: Exclude<GraphNode, { kind: 'source' | 'model' }> };

/** What a node can know of its surroundings. */
export interface ReadContext {
  /** Ids and names for documents and folders. */
  readonly instance: string;
  readonly skill: string;
  readonly camera: string;
  /** Absent: which models there are is not known here. */
  readonly models?: ReadonlyMap<string, SkillModel>;
}

/** A type of node: contract B's name and type, and how its fields are read. */
export interface NodeType {
  readonly type: 'source' | 'model' | 'transform' | 'export';
  /** Absent for models, which are named by their own names. */
  readonly name?: string;
  /** As people see it. */
  readonly label: string;
  /** Undefined: reported to `fields`, or accepted without anything to run. */
  read(fields: Fields, node: SkillNode, context: ReadContext): ReadNode | undefined;
}
