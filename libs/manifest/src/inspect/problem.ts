/** Keys from the root of a deployment, as they stand there (`properties.desired` is one key). */
export type JsonPath = readonly (string | number)[];

/** Something of a deployment that goes wrong on a device, or that its author would want to know. */
export interface DeploymentProblem {
  /** An error stops something on the device; a warning is legal and probably not meant. */
  readonly severity: 'error' | 'warning';
  readonly path: JsonPath;
  readonly message: string;
}

export function error(path: JsonPath, message: string): DeploymentProblem {
  return { severity: 'error', path, message };
}

export function warning(path: JsonPath, message: string): DeploymentProblem {
  return { severity: 'warning', path, message };
}

/** `modulesContent.$edgeAgent["properties.desired"].modules[0]` */
export function pathText(path: JsonPath): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    if (!/^[A-Za-z_$][\w$-]*$/.test(key)) return `${text}[${JSON.stringify(key)}]`;
    return text === '' ? key : `${text}.${key}`;
  }, '');
}

/** The keys of a path as {@link pathText} writes it. */
export function pathKeys(text: string): JsonPath {
  return Array.from(text.matchAll(/\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g), ([, index, quoted, plain]) =>
    index === undefined ? (quoted ?? plain ?? '') : Number(index),
  );
}
