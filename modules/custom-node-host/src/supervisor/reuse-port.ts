import net from 'node:net';

const shared = new Set<number>();
let isPatched = false;

/**
 * From now on servers of this process listen on that port with SO_REUSEPORT, so that a process can take it over while
 * another one still holds it. grpc-js 1.14 has no option for that and listens by itself.
 */
export function sharePort(port: number): void {
  shared.add(port);
  if (isPatched) return;
  isPatched = true;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the server as `this`
  const { listen } = net.Server.prototype;
  net.Server.prototype.listen = function (this: net.Server, ...args: unknown[]) {
    const [first] = args;
    const isShared = typeof first === 'object' && first !== null && 'port' in first && shared.has(Number(first.port));
    if (isShared && !('exclusive' in first)) args[0] = { ...first, reusePort: true };
    return (listen as (...all: unknown[]) => net.Server).apply(this, args);
  } as typeof listen;
}
