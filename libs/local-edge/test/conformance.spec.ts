import { describe, expect, test } from '@jest/globals';
import { diffTwin, mergeTwin } from '@vantage/contracts';
import { normalizeImage } from '../src/agent/config.ts';
import { joinChunks, parseCreateOptions } from '../src/agent/create-options.ts';
import { applyRestartPolicy, coolOff, type RestartPolicy, type RuntimeStatus } from '../src/agent/restart-policy.ts';
import { parseMqttUsername } from '../src/hub/username.ts';
import { validateTwinPatch } from '../src/twin/validation.ts';
import { CASES_DIR, loadCases } from './cases.ts';

function describeCases(name: string, body: () => void): void {
  if (CASES_DIR !== undefined) describe(name, body);
  else describe.skip(name, () => test('needs the case files', () => undefined));
}

type Json = Record<string, unknown>;

describeCases('edgeHub: MQTT user names', () => {
  interface Case {
    id: string;
    username: string;
    expect: { error?: string; deviceId: string; moduleId: string; deviceClientType: string; modelId: string | null };
  }
  test.each(loadCases<{ cases: Case[] }>('mqtt_usernames.json').cases)(
    '$id $username',
    ({ username, expect: wanted }) => {
      if (wanted.error === undefined) expect(parseMqttUsername(username)).toMatchObject(wanted);
      else expect(() => parseMqttUsername(username)).toThrow(expect.objectContaining({ code: 'EDGE_MQTT_PROTOCOL' }));
    },
  );
});

describeCases('edgeHub: twin patches', () => {
  test.each(loadCases<{ cases: { id: string; patch: Json; error: string | null }[] }>('twin_validation.json').cases)(
    '$id',
    ({ patch, error }) => {
      if (error === null) expect(() => validateTwinPatch(patch)).not.toThrow();
      else {
        expect(() => validateTwinPatch(patch)).toThrow(
          expect.objectContaining({ code: 'EDGE_TWIN_PATCH_INVALID', message: error }),
        );
      }
    },
  );
});

describeCases('edgeHub: twin merge', () => {
  type Case = { id: string; op: string; base: Json; patch: Json; from: Json; to: Json; expect: Json };
  test.each(loadCases<{ cases: Case[] }>('twin_merge.json').cases)('$id $op', (one) => {
    const result = one.op === 'merge' ? mergeTwin(one.base, one.patch) : diffTwin(one.from, one.to);
    expect(result).toEqual(one.expect);
  });
});

describeCases('edgeAgent: restart policy', () => {
  interface Case {
    id: string;
    kind: 'cooloff' | 'status';
    coolOffTimeUnitInSeconds: number;
    restartCount: number;
    maxRestartCount: number;
    runtimeStatus: RuntimeStatus;
    restartPolicy: RestartPolicy;
    expect: unknown;
  }
  test.each(loadCases<{ cases: Case[] }>('restart_policy.json').cases)('$id $kind', (one) => {
    const result =
      one.kind === 'cooloff'
        ? coolOff(one.coolOffTimeUnitInSeconds, one.restartCount, 300)
        : applyRestartPolicy(one.runtimeStatus, one.restartPolicy, one.restartCount, one.maxRestartCount);
    expect(result).toBe(one.expect);
  });
});

describeCases('edgeAgent: createOptions', () => {
  interface Case {
    id: string;
    kind: string;
    settings: Json;
    object: Json;
    field: string;
    ignoreCase: boolean;
    createOptions: string | null;
    expect: Json;
  }
  const cases = loadCases<{ cases: Case[] }>('create_options.json').cases;

  test.each(cases.filter(({ kind }) => kind === 'join'))('$id join', ({ settings, expect: wanted }) => {
    if (wanted['error'] !== undefined) {
      expect(() => joinChunks(settings, 'createOptions')).toThrow(wanted['error']);
      return;
    }
    const joined = joinChunks(settings, 'createOptions');
    expect(joined).toBe(wanted['joined']);
    expect(parseCreateOptions(joined)).toEqual(wanted['value']);
  });

  test.each(cases.filter(({ kind }) => kind === 'parse'))('$id parse', ({ createOptions, expect: wanted }) => {
    expect(parseCreateOptions(createOptions)).toEqual(wanted);
  });

  test.each(cases.filter(({ kind }) => kind === 'chunk'))(
    '$id chunk',
    ({ object, field, ignoreCase, expect: wanted }) => {
      if (wanted['error'] === undefined) expect(joinChunks(object, field, ignoreCase)).toBe(wanted['joined']);
      else expect(() => joinChunks(object, field, ignoreCase)).toThrow(/Error while parsing chunked field/);
    },
  );

  test.each(cases.filter(({ kind }) => kind === 'split'))('$id joins what was split', ({ expect: wanted }) => {
    const settings = Object.fromEntries(Object.entries(wanted).filter(([key]) => key.startsWith('createOptions')));
    const all = Object.keys(settings).length > 0 ? settings : (wanted['settings'] as Json);
    const { createOptions } = loadCases<{ cases: { kind: string; createOptions: Json }[] }>(
      'create_options.json',
    ).cases.find((one) => one.kind === 'split')!;
    expect(parseCreateOptions(joinChunks(all, 'createOptions'))).toEqual(createOptions);
  });
});

describeCases('edgeAgent: images', () => {
  test.each(loadCases<{ cases: { id: string; image: unknown; expect: { image?: string } }[] }>('images.json').cases)(
    '$id $image',
    ({ image, expect: wanted }) => {
      if (wanted.image === undefined) {
        expect(() => normalizeImage(image)).toThrow(expect.objectContaining({ code: 'EDGE_DEPLOYMENT_INVALID' }));
      } else expect(normalizeImage(image)).toBe(wanted.image);
    },
  );
});

/** Rules of the sources that the case files leave open. */
describe('edgeHub and edgeAgent: beyond the case files', () => {
  test.each([
    ['h/d/m/api-version=2017-06-30/DeviceClientType=Microsoft.Azure.Devices.Client/1.5.1-preview-003', 'd', 'm'],
    ['h/ d /?api-version=x', 'd', ''],
    ['h/d/m/foo?bar=1&api-version=2010-01-01', 'd', 'm'],
    ['h/d?/m?/?api-version=1&api-version=2&x', 'd?', 'm?'],
  ])('user name %s', (username, deviceId, moduleId) => {
    expect(parseMqttUsername(username)).toMatchObject({ deviceId, moduleId });
  });
  test.each(['', 'h/d/?api-version= ', 'h/ /?api-version=1', 'h/d/m/x/?api-version=1', 'h/d/?Api-Version=1'])(
    'no user name: %s',
    (username) => {
      expect(() => parseMqttUsername(username)).toThrow(expect.objectContaining({ code: 'EDGE_MQTT_PROTOCOL' }));
    },
  );
  test('a client type keeps what is no percent escape', () => {
    const user = parseMqttUsername('h/d/?api-version=1&model-id=%20&DeviceClientType=a%2Fb%zz%C3%A9');
    expect(user).toMatchObject({ deviceClientType: 'a/b%zzé', modelId: null });
  });
  test('of several mistakes in a twin patch the size is named first, then what comes first', () => {
    const big = 'x'.repeat(5000);
    expect(() => validateTwinPatch({ big: Array.from({ length: 9 }, () => big) })).toThrow(/^Twin properties size/);
    expect(() => validateTwinPatch({ a: [null], 'b.c': 1 })).toThrow("Arrays cannot contain 'null' as value");
    expect(() => validateTwinPatch({ a: [big] })).toThrow('property name  has length 5000');
  });
  test.each(['ea:', ':tag', 'a/', 'a:b@sha256:00'])('no image: %s', (image) => {
    expect(() => normalizeImage(image)).toThrow(expect.objectContaining({ code: 'EDGE_DEPLOYMENT_INVALID' }));
  });
  test('edgeAgent reads up to 100 pieces, their name in any case', () => {
    const piece = (index: number): [string, string] => [
      index === 0 ? 'CreateOptions' : `createoptions${String(index).padStart(2, '0')}`,
      'x',
    ];
    const pieces = (count: number): Json => Object.fromEntries(Array.from({ length: count }, (_, i) => piece(i)));
    expect(joinChunks(pieces(100), 'createOptions', true)).toBe('x'.repeat(100));
    expect(() => joinChunks(pieces(101), 'createOptions', true)).toThrow(/found createOptions100/);
  });
  test('a dead module stays dead', () => {
    expect(applyRestartPolicy('dead', 'always', 0, 5)).toBe('dead');
  });
});
