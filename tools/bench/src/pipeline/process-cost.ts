/** What this process and its children cost, from /proc (proc(5)); Linux only. */
import { readFileSync, readdirSync } from 'node:fs';

/** A clock tick of /proc in milliseconds: USER_HZ is 100 on every Linux that Node runs on. */
const TICK_MS = 10;

/** CPU time so far of this process, of its children that run, and of those it has waited for, in milliseconds. */
export function cpuMs(): number {
  const own = process.cpuUsage();
  const waited = times('self')?.waited ?? 0;
  const living = children().reduce((sum, pid) => sum + (times(String(pid))?.own ?? 0), 0);
  return (own.user + own.system) / 1000 + waited + living;
}

/** Resident memory of this process and of its children that run, in bytes. */
export function residentBytes(): number {
  return children().reduce((sum, pid) => sum + resident(pid), process.memoryUsage.rss());
}

/** In milliseconds: a process's own time, and that of the children it has waited for. Undefined: it has just ended. */
function times(pid: string): { own: number; waited: number } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    const ms = (field: number): number => Number(fields[field]) * TICK_MS;
    return { own: ms(11) + ms(12), waited: ms(13) + ms(14) };
  } catch {
    return undefined;
  }
}

function children(): number[] {
  return readdirSync('/proc/self/task').flatMap((thread) => {
    try {
      return readFileSync(`/proc/self/task/${thread}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
    } catch {
      return [];
    }
  });
}

function resident(pid: number): number {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
