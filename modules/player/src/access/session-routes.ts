import type { FastifyInstance } from 'fastify';
import { isTwinObject } from '@vantage/contracts';
import type { ApiSession } from '../api.ts';
import { loginNeeded, requestInvalid } from '../errors.ts';
import type { HubLink } from '../hub/hub-link.ts';
import type { Access, Visitor } from './access.ts';

const LOGINS_PER_MINUTE = 10;

export function sessionRoutes(app: FastifyInstance, access: Access, link: HubLink): void {
  const describe = async (visitor: Visitor, csrf: string): Promise<ApiSession> => ({
    user: visitor.user,
    csrf,
    hub: await link.names(),
    readOnly: access.readOnly,
    canLogOut: visitor.session !== undefined,
  });
  app.get('/api/session', async (request, reply) => {
    const visitor = access.visitor(request);
    if (!visitor) throw loginNeeded();
    return describe(visitor, access.csrf(request, reply, visitor));
  });
  app.get('/api/login', () => access.ways);
  app.post(
    '/api/login',
    { config: { rateLimit: { max: LOGINS_PER_MINUTE, timeWindow: 60_000 } }, bodyLimit: 4096 },
    async (request, reply) => {
      if (!isTwinObject(request.body)) throw requestInvalid('{"token": …} expected');
      const visitor = access.logIn(request.body['token'], request, reply);
      return describe(visitor, access.csrf(request, reply, visitor));
    },
  );
  app.post('/api/logout', (request, reply) => {
    access.logOut(request, reply);
    return reply.status(204).send();
  });
}
