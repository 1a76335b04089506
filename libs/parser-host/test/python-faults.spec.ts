import { expect, test } from '@jest/globals';
import { createBench, describeWithPython, expectGone, floats, isThere } from './support.ts';

const bench = createBench();

/** Does what the output `do` says: its first number is the case, the second an argument. */
const FAULTS = `
import ctypes, os, sys, time
import numpy as np
model_type = 0
name = "faults"
labels = ["thing"]
leak = []
BOX = [[1, 2, 3, 4]], [0], [0.5]

def raises(n): return {}["absent"]
def hangs(n):
    while True: time.sleep(0.01)
def spins(n):
    while True: pass
def exits(n): sys.exit(3)
def dies(n): os._exit(int(n))
def crashes(n): ctypes.string_at(0)
def leaks(n): leak.append(np.ones(int(n), np.uint8)); return *BOX, None
def floods(n):
    for i in range(int(n)): print("line", i)
    sys.stderr.write("no end" * 1000)
    return *BOX, None
def talks(n): os.write(3, b"garbage that is no answer"); return *BOX, None
def closes(n): os.close(3); return *BOX, None
def forks(n):
    if os.fork() == 0: return *BOX, "child"
    return *BOX, "parent"
def spawns(n):
    import subprocess
    child = subprocess.Popen(["sleep", "300"])
    return *BOX, child.pid
def many(n): return np.tile([[1, 2, 3, 4]], (int(n), 1)), np.zeros(int(n)), np.ones(int(n)), None
def none(n): return None
def three(n): return [], [], []
def text(n): return "abcd"
def flat(n): return np.zeros(8), [0, 0], [1, 1], None
def ragged(n): return [[1, 2, 3, 4], [1, 2]], [0, 0], [1, 1], None
def uneven(n): return [[1, 2, 3, 4]], [0, 0], [1], None
def nan(n): return [[1, 2, 3, 4], [1, np.nan, 3, 4], [1, 2, -3, 4], [1, 2, np.inf, 4]], [0] * 4, [0.5] * 4, {"a": np.nan}
def nones(n): return None, None, None, None
def secret(n): raise ValueError("rtsp://user:pass@camera/1\\nsecond line " + "x" * 2000)
def big(n): return *BOX, "x" * int(n)
def odd(n): return *BOX, object()
def circle(n):
    ring = []
    ring.append(ring)
    return *BOX, ring
def deep(n): raise RecursionError if n else sum(deep(0) for _ in "x")

CASES = [raises, hangs, spins, exits, dies, crashes, leaks, floods, talks, closes, forks, spawns, many, none, three, text,
         flat, ragged, uneven, nan, nones, secret, big, odd, circle, deep]

def parse_det_model(config, raw_outputs):
    which = raw_outputs.get("do")
    if which is None:
        return *BOX, None
    return CASES[int(which[0])](which[1])
`;

const CASES = /CASES = \[([\s\S]*?)\]/.exec(FAULTS)![1]!.split(/,\s*/);

const fault = (name: string, argument = 0) => [floats('do', [2], [CASES.indexOf(name), argument])];
const GOOD = {
  detections: [{ classId: 0, label: 'thing', confidence: 0.5, box: { left: 1, top: 2, width: 3, height: 4 } }],
};

const open = (spec = {}) => bench.open('python', FAULTS, spec);

describeWithPython('a Python parser that misbehaves costs that picture only', () => {
  test('an exception or a result of another shape: the reason, and the same process goes on', async () => {
    const parser = await open();
    const reasons = {
      raises: /^KeyError: 'absent' \(parser\.py line 10 in raises\)$/,
      exits: /^sys\.exit\(3\) \(parser\.py line 15 in exits\)$/,
      deep: /^RecursionError/,
      none: /^parse_det_model must return \(bboxes, labels, scores, message\), it returned NoneType$/,
      three: /it returned 3 values$/,
      text: /it returned str$/,
      flat: /^parse_det_model gave bboxes of shape \[8\] instead of N x 4$/,
      ragged: /^bboxes cannot be read as numbers: /,
      uneven: /^parse_det_model gave 1 bboxes, 2 labels and 1 scores$/,
      nones: /^parse_det_model gave bboxes of shape \[\] instead of N x 4$/,
      secret: /^ValueError: rtsp:\/\/(?!.*pass).*camera\/1 second line x{100,}/,
    };
    for (const [name, reason] of Object.entries(reasons)) {
      const bad = await parser.read(fault(name));
      expect(bad).toEqual({ error: expect.stringMatching(reason) });
      expect(bad.error!.length).toBeLessThan(600);
      expect(await parser.read([])).toEqual(GOOD);
    }
    expect(parser.counts).toMatchObject({ read: 22, failed: 11, restarts: 0 });
  });

  test.each([
    ['hangs', 'no answer within 600 ms (parser.py line 12 in hangs)', 1],
    ['spins', 'no answer within 600 ms (parser.py line 14 in spins)', 1],
    ['dies', 'the process ended with exit code 7', 0],
    ['crashes', 'the process ended by SIGSEGV', 0],
    ['talks', 'it broke the protocol: a frame of', 0],
    ['closes', 'the process ended', 0],
  ])('%s: the next picture meets a new process', async (name, reason, timeouts) => {
    const parser = await open({ deadlineMs: 600 });
    expect(await parser.read([])).toEqual(GOOD);
    const bad = await parser.read(fault(name, 7));
    expect(bad).toEqual({ error: expect.stringContaining(reason) });
    let next = await parser.read([]);
    while (next.error !== undefined) next = await parser.read([]);
    expect(next).toEqual(GOOD);
    expect(parser.counts).toMatchObject({ timeouts, restarts: 1 });
    expect(bench.log.filter(({ text }) => text.includes('is started again in 0 ms'))).toHaveLength(1);
  });

  test('one that fails again and again costs those pictures only, too', async () => {
    const parser = await open({ deadlineMs: 20_000 });
    for (let round = 0; round < 3; round += 1) {
      expect((await parser.read(fault('dies', 7))).error).toBe('the process ended with exit code 7');
      expect(await parser.read([])).toEqual(GOOD);
    }
    expect(parser.counts).toMatchObject({ read: 6, failed: 3, restarts: 3 });
    expect(bench.log.filter(({ text }) => /is started again in (0|500|1000) ms/.test(text))).toHaveLength(3);
    expect((await parser.read(fault('dies', 7))).error).toBe('the process ended with exit code 7');
    const waiting = parser.read([]);
    await parser.close();
    expect((await waiting).error).toBeDefined();
  });

  test('a leak ends in MemoryError and a new process', async () => {
    const parser = await open({ memoryLimitMb: 1024 });
    let answer = await parser.read(fault('leaks', 200e6));
    let pictures = 1;
    for (; answer.error === undefined && pictures < 10; pictures += 1)
      answer = await parser.read(fault('leaks', 200e6));
    expect(answer.error).toMatch(/MemoryError|Unable to allocate/);
    expect(pictures).toBeLessThan(6);
    expect(await parser.read([])).toEqual(GOOD);
    expect(parser.counts).toMatchObject({ failed: 1, restarts: 1 });
  });

  test('what it prints reaches the log in bounded pieces and no answer is lost', async () => {
    const parser = await open({ deadlineMs: 20_000 });
    expect(await parser.read(fault('floods', 20_000))).toEqual(GOOD);
    expect(await parser.read([])).toEqual(GOOD);
    await parser.close();
    const shown = bench.log.filter(({ text }) => text.startsWith('parser prints: '));
    expect(shown.length).toBeGreaterThanOrEqual(40);
    expect(shown.length).toBeLessThan(100);
    expect(shown[0]).toEqual({ level: 'info', text: 'parser prints: line 0' });
    for (const { text } of shown) expect(text.length).toBeLessThan(600);
  });

  test('a fork that comes back does not answer; what it starts ends with it', async () => {
    const parser = await open();
    expect(await parser.read(fault('forks'))).toEqual({ ...GOOD, message: 'parent' });
    expect(await parser.read([])).toEqual(GOOD);
    expect(bench.log).toEqual([]);
    const { message: pid } = await parser.read(fault('spawns'));
    expect(isThere(pid as number)).toBe(true);
    await parser.close();
    await expectGone(pid as number);
  });

  test('10,000 boxes pass, 100,000 are cut', async () => {
    const parser = await open();
    const { detections, error } = await parser.read(fault('many', 10_000));
    expect(error).toBeUndefined();
    expect(detections).toHaveLength(10_000);
    const cut = await parser.read(fault('many', 100_000));
    expect(cut.error).toBe('only the first 16384 of 100000 objects are kept');
    expect(cut.detections).toHaveLength(16_384);
  });

  test('bad boxes and messages are left out, the rest stands', async () => {
    const parser = await open();
    expect(await parser.read(fault('nan'))).toEqual({
      ...GOOD,
      message: { a: null },
      error:
        'NaN or infinity in the message became null; 2 of 4 objects hold NaN or infinity; 1 of 4 boxes have a negative size',
    });
    expect(await parser.read(fault('big', 300_000))).toEqual({
      ...GOOD,
      error: 'the message is left out: 300002 bytes, more than 262144',
    });
    expect((await parser.read(fault('odd'))).error).toBe(
      'the message is left out: JSON cannot say a value of type object',
    );
    expect((await parser.read(fault('circle'))).error).toBe('the message is left out: it is nested deeper than 32');
    expect(parser.counts.restarts).toBe(0);
  });

  test('one at a time, and none after close', async () => {
    const parser = await open();
    const [first, second] = await Promise.all([parser.read([]), parser.read([])]);
    expect(first).toEqual(GOOD);
    expect(second).toEqual({ error: 'the parser still reads the one before' });
    await parser.close();
    await parser.close();
    expect(await parser.read([])).toEqual({ error: 'the parser is closed' });
  });

  test('close does not wait for a parser that hangs', async () => {
    const parser = await open({ deadlineMs: 60_000 });
    const reading = parser.read(fault('spins'));
    await parser.close();
    expect((await reading).error).toBe('the parser is closed');
  });

  test('an answer of more than 4 MiB is none, too many drawings are cut', async () => {
    const parser = await bench.open(
      'python',
      `
import pyds
model_type = 1
name = "large"

def parse_custom_model(config, raw_outputs): return next(iter(raw_outputs)), None

def add_custom_to_meta(config, what, batch_meta, frame_meta):
    if what == "label":
        item = pyds.nvds_acquire_obj_meta_from_pool(batch_meta)
        item.obj_label = "x" * 5000000
        pyds.nvds_add_obj_meta_to_frame(frame_meta, item, None)
    for _ in range(300):
        display = pyds.nvds_acquire_display_meta_from_pool(batch_meta)
        display.num_circles = 16
        pyds.nvds_add_display_meta_to_frame(frame_meta, display)
`,
      { deadlineMs: 20_000 },
    );
    expect((await parser.read([floats('label', [1])])).error).toMatch(
      /^the answer has 5\d{6} bytes, more than 4194304$/,
    );
    const { error, overlay } = await parser.read([floats('circles', [1])]);
    expect(error).toBe('only the first 4096 shapes of the display metas are kept');
    expect(overlay?.circles).toHaveLength(4096);
    expect(parser.counts.restarts).toBe(0);
  });
});
