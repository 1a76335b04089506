/** Something in a file that deserves a person's attention. */
export interface ConfigProblem {
  readonly severity: 'error' | 'warning';
  /** Name of the file as it was given. */
  readonly file: string;
  /** One-based; 0 when it is about the file as a whole. */
  readonly line: number;
  readonly key: string;
  readonly message: string;
  /**
   * Set on the one error that says that the model file is of a format ONNX Runtime does not run: it falls away for
   * whoever finds one of `runnable.onnxCandidates`.
   */
  readonly about?: 'model-file';
}

/** What became of one property of a file. Every property of a file has exactly one. */
export interface PropertyUse {
  /** `[group]` in INI; path of the mapping or message (`infer_config.backend`) in YAML and protobuf text. */
  readonly group: string;
  readonly key: string;
  /** As written, without quotes; the items of a list with `;` between them. */
  readonly value: string;
  /** One-based. */
  readonly line: number;
  readonly file: string;
  readonly use: 'used' | 'not-used';
  /** Why it has no effect here; only, and always, with `not-used`. */
  readonly reason?: string;
}

/** A file that was read: the typed spec, and what became of each property. */
export interface ConfigReading<Kind extends string, Spec> {
  readonly kind: Kind;
  readonly format: ConfigFormat;
  /** Name of the file that was read, as it was given. */
  readonly fileName: string;
  readonly spec: Spec;
  /** In the order of the file. */
  readonly properties: readonly PropertyUse[];
  /** With an `error` among them the spec must not run. */
  readonly problems: readonly ConfigProblem[];
}

export type ConfigFormat = 'ini' | 'yaml' | 'protobuf-text' | 'text';
