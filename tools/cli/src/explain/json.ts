import { notAModelConfig, type AnyConfig } from '@vantage/deepstream';

/** The whole reading as one JSON document; what is keyed by class id becomes an object. */
export function configAsJson(config: AnyConfig): string {
  const { kind, format, fileName, spec, properties, problems } = config;
  const document = {
    file: fileName,
    kind,
    ...(kind === 'other' ? { what: config.what } : {}),
    format,
    ...('runnable' in config ? { runnable: config.runnable } : { notAModelConfig: whyNoModel(config) }),
    spec,
    properties,
    problems,
  };
  return `${JSON.stringify(document, plain, 2)}\n`;
}

/** Why this is no model configuration; undefined for one that is. */
export function whyNoModel(config: AnyConfig): string | undefined {
  switch (config.kind) {
    case 'nvinfer':
    case 'nvinferserver':
      return undefined;
    case 'other':
      return notAModelConfig(config.what);
    case 'tracker':
    case 'low-level-tracker':
    case 'dewarper':
    case 'nvdsanalytics':
      return notAModelConfig(config.kind);
  }
}

/** `JSON.stringify` knows no maps. */
export function plain(_key: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value as Map<string | number, unknown>) : value;
}
