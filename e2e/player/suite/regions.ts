import { expect, test } from '@jest/globals';
import type { ApiCamera, ApiTwin } from '../../../modules/player/src/api.ts';
import type { RunningDemo } from '../support/running-demo.ts';

/** The region that the demo comes with. */
const CROSSING = [
  [0.475, 0.5],
  [0.642, 0.5],
  [0.71, 0.65],
  [0.464, 0.65],
];

/** Drawing on the live picture. */
export function regions(demo: () => RunningDemo): void {
  test('a region is drawn with the mouse, saved beside what somebody else saved, and the next insights carry it', async () => {
    const { player, up } = demo();
    const { page } = player;
    await player.open('regions/StreetDetection/street');
    const board = page.getByRole('application');
    await board.waitFor();
    await page.getByRole('button', { name: 'Region', exact: true }).click();
    const box = (await board.boundingBox())!;
    const at = (x: number, y: number): [number, number] => [box.x + x * box.width, box.y + y * box.height];
    for (const [x, y] of [[0.03, 0.45], [0.97, 0.45], [0.005, 0.995]] as const) await page.mouse.click(...at(x, y)); // prettier-ignore
    // Two corners the wrong way round: the fault is told where the shape stands, and nothing can be saved.
    await page.mouse.click(...at(0.97, 0.9));
    await page.keyboard.press('Enter');
    await page.getByText(/The edges .* cross/).waitFor();
    expect(await page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    await page.keyboard.press('Control+z');
    await page.getByText(/The edges .* cross/).waitFor({ state: 'detached' });
    // Dragged by its point: the left corner, to another place.
    await page.mouse.move(...at(0.03, 0.45));
    await page.mouse.down();
    await page.mouse.move(...at(0.03, 0.3), { steps: 5 });
    await page.mouse.up();
    const name = page.getByLabel('Name').last();
    await name.fill('yard');
    await name.press('Tab');
    await player.shoot('regions');

    const twin = await player.get<ApiTwin>('/api/twin/controllermodule');
    const [camera] = await player.get<ApiCamera[]>('/api/cameras');
    const theirs = camera!.regions.map((region) => ({ ...region, color: '#00c8ff' }));
    expect(await player.send('PUT', '/api/regions/street', { regions: theirs, etag: twin.etag })).toBe(200);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText(/Somebody else changed/).waitFor();
    await player.shoot('conflict');
    const after = up.lines.length;
    await page.getByRole('button', { name: 'Save both' }).click();
    await page.getByText(/^Saved: 2 regions/).waitFor();
    const both = (await player.get<ApiCamera[]>('/api/cameras'))[0]!.regions;
    expect(both).toMatchObject([
      { label: 'crossing', color: '#00c8ff' },
      { label: 'yard', coordinates: [[expect.closeTo(0.03, 1), expect.closeTo(0.3, 1)], [expect.closeTo(0.97, 1), expect.closeTo(0.45, 1)], [0, 1]] },
    ]); // prettier-ignore
    const event = await up.line(
      'the region in messages',
      (line) => line['event'] === 'region' && line['region'] === 'yard',
      { after },
    );
    expect(event).toMatchObject({ sensor: 'street' });
  }, 90_000);

  test('fifty polygons are dragged as fast as the screen', async () => {
    const { player } = demo();
    const { page } = player;
    const polygons = Array.from({ length: 50 }, (_, index) => {
      const [x, y] = [(index % 10) / 10 + 0.01, Math.floor(index / 10) / 5 + 0.01];
      const corners = Array.from({ length: 8 }, (_, corner): [number, number] => {
        const angle = (corner / 8) * 2 * Math.PI;
        return [x + 0.04 + 0.035 * Math.cos(angle), y + 0.09 + 0.08 * Math.sin(angle)];
      });
      return { label: `p${index}`, color: '#ffc800', coordinates: corners };
    });
    const before = await player.get<ApiTwin>('/api/twin/controllermodule');
    expect(await player.send('PUT', '/api/regions/street', { regions: polygons, etag: before.etag })).toBe(200);
    await page.reload();
    const board = page.getByRole('application');
    await board.waitFor();
    await page.getByRole('radio', { name: 'Shapes' }).click();
    const times = await board.evaluate(
      (canvas: HTMLCanvasElement) =>
        new Promise<number[]>((resolve) => {
          const box = canvas.getBoundingClientRect();
          const spent: number[] = [];
          const tell = (type: string, x: number): void => {
            const place = { clientX: box.left + x * box.width, clientY: box.top + 0.1 * box.height };
            canvas.dispatchEvent(new PointerEvent(type, { ...place, pointerId: 1, button: 0, bubbles: true }));
          };
          canvas.setPointerCapture = () => undefined;
          tell('pointerdown', 0.05);
          let last = performance.now();
          const step = (): void => {
            const now = performance.now();
            spent.push(now - last);
            last = now;
            tell('pointermove', 0.05 + 0.4 * Math.abs(Math.sin(spent.length / 20)));
            if (spent.length < 120) return void requestAnimationFrame(step);
            tell('pointerup', 0.05);
            resolve(spent);
          };
          requestAnimationFrame(step);
        }),
    );
    const sorted = times.toSorted((a, b) => a - b);
    process.stdout.write(
      `editor with 50 polygons of 8 points, dragging: ${(1000 / sorted[60]!).toFixed(0)} frames/s in the middle, slowest of 95 % ${sorted[114]!.toFixed(1)} ms\n`,
    );
    expect(await page.getByRole('button', { name: 'Undo' }).isEnabled()).toBe(true);
    await page.getByRole('button', { name: 'Discard' }).click();
    const now = await player.get<ApiTwin>('/api/twin/controllermodule');
    const crossing = [{ label: 'crossing', color: '#ffc800', coordinates: CROSSING }];
    expect(await player.send('PUT', '/api/regions/street', { regions: crossing, etag: now.etag })).toBe(200);
  }, 60_000);
}
