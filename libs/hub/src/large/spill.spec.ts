import { describe, expect, test } from '@jest/globals';
import { isTwinObject, twinBlobsOf, withTwinBlobs, type TwinObject } from '@vantage/contracts';
import { chooseSpilled, SPILL_ABOVE_BYTES, withSpilled } from './spill.ts';

const skill = (id: number): TwinObject => ({ id: `skill-${id}`, text: 'x'.repeat(900) });
const skills = (many: number): TwinObject[] => [...Array(many).keys()].map(skill);
const components = (many: number): TwinObject => ({ sensors: [{ name: 'street' }], skills: skills(many) });
const twinOf = (many: number): TwinObject => ({ azdaConfiguration: { components: components(many) } });

/** As the command stores it, with addresses that nobody asks. */
function store(twin: TwinObject): { small: TwinObject; bodies: Map<string, Buffer> } {
  const values = chooseSpilled(twin);
  const bodies = new Map(values.map(({ sha256, body }) => [sha256, body]));
  const blobs = new Map(
    values.map(({ sha256, body }) => [sha256, { vantageBlob: 'https://s/twins/x?sig=y', sha256, bytes: body.length }]),
  );
  return { small: withSpilled(twin, values, blobs), bodies };
}

describe('values that leave a twin', () => {
  test('none of a twin that fits', () => {
    expect(chooseSpilled(twinOf(20))).toEqual([]);
  });

  test('the list that makes it large, and nothing else; it comes back as it was', async () => {
    const twin = twinOf(60);
    const { small, bodies } = store(twin);
    expect(chooseSpilled(twin).map(({ path }) => path)).toEqual([['azdaConfiguration', 'components', 'skills']]);
    expect(JSON.stringify(small).length).toBeLessThan(SPILL_ABOVE_BYTES);
    expect(small).toMatchObject({ azdaConfiguration: { components: { sensors: [{ name: 'street' }] } } });
    const back = await withTwinBlobs(small, ({ sha256 }) => {
      return Promise.resolve(JSON.parse(bodies.get(sha256)?.toString() ?? '') as unknown);
    });
    expect(back).toEqual(twin);
  });

  test('the same value has the same name, whatever else has changed', () => {
    const [first] = chooseSpilled(twinOf(60));
    const [again] = chooseSpilled({ ...twinOf(60), logLevel: 'debug' });
    expect(again?.sha256).toBe(first?.sha256);
  });

  test('many values of the same size leave one by one, until it fits', () => {
    const twin = Object.fromEntries([...Array(40).keys()].map((n) => [`node-${n}`, { text: 'y'.repeat(2000) }]));
    const { small } = store(twin);
    expect(JSON.stringify(small).length).toBeLessThan(SPILL_ABOVE_BYTES);
    expect(twinBlobsOf(small).length).toBeLessThan(40);
    expect(Object.values(small).every(isTwinObject)).toBe(true);
  });

  test('thousands of small values cannot be helped', () => {
    const twin = Object.fromEntries([...Array(4000).keys()].map((n) => [`key-${n}`, n]));
    expect(chooseSpilled(twin)).toEqual([]);
  });
});
