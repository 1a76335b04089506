import { readFileSync } from 'node:fs';

/** CPU time of this process and of the children it has waited for, while `work` runs. Linux only. */
export async function cpuMs<T>(work: () => Promise<T>): Promise<{ readonly cpuMs: number; readonly result: T }> {
  const before = process.cpuUsage();
  const childrenBefore = childrenCpuMs();
  const result = await work();
  const own = process.cpuUsage(before);
  return { cpuMs: (own.user + own.system) / 1000 + childrenCpuMs() - childrenBefore, result };
}

/** `cutime` and `cstime` of /proc/self/stat (proc(5)), in clock ticks of 10 ms. */
function childrenCpuMs(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) * 10;
}
