/** Something that does not work, for people and reported properties. Never holds a credential. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly pipeline: string;
  readonly sensor?: string;
}

const MAX_PROBLEMS = 20;

/** The newest problems of a pipeline, and what they are about. */
export class ProblemList {
  readonly #pipeline: string;
  #entries: { readonly problem: Problem; readonly node: string | undefined }[] = [];

  constructor(pipeline: string) {
    this.#pipeline = pipeline;
  }

  get all(): readonly Problem[] {
    return this.#entries.map(({ problem }) => problem);
  }

  add(code: string, message: string, about: { readonly sensor?: string; readonly node?: string }): Problem {
    const { sensor, node } = about;
    const problem = { code, message, pipeline: this.#pipeline, ...(sensor === undefined ? {} : { sensor }) };
    this.#entries.push({ problem, node });
    if (this.#entries.length > MAX_PROBLEMS) this.#entries.shift();
    return problem;
  }

  /** A model or file works: what was wrong with it, and what its cameras said meanwhile, is of the past. */
  solved(node: string): void {
    this.#entries = this.#entries.filter((entry) => entry.node !== undefined && entry.node !== node);
  }
}
