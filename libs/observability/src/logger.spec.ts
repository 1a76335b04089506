import { VantageError } from '@vantage/contracts';
import { describe, expect, test } from '@jest/globals';
import { createLogger, silentLogger } from './logger.ts';
import { parseLogLevel } from './log-level.ts';

function capture(level?: 'trace' | 'information' | 'error') {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  return {
    lines,
    logger: createLogger({ module: 'ai-pipeline', destination, ...(level === undefined ? {} : { level }) }),
  };
}

describe('createLogger', () => {
  test('writes the line form of IoT Edge', () => {
    const { lines, logger } = capture();
    logger.info('camera opened', { sourceId: 'cam-1', frameSeq: 3 });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^<6> \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \+00:00 \[ai-pipeline\] camera opened \{"sourceId":"cam-1","frameSeq":3\}\n$/,
    );
  });

  test('maps levels to syslog severities', () => {
    const { lines, logger } = capture('trace');
    logger.trace('a');
    logger.debug('b');
    logger.info('c');
    logger.warn('d');
    logger.error('e');
    logger.critical('f');
    expect(lines.map((line) => line.slice(0, 3))).toEqual(['<7>', '<7>', '<6>', '<4>', '<3>', '<2>']);
  });

  test('changes its level while running, for children made before too', () => {
    const { lines, logger } = capture('error');
    const child = logger.child({ nodeId: 'n1' }).child({ sourceId: 's' });
    child.info('unheard');
    expect(logger.setLevel('INFORMATION')).toBe(true);
    child.info('heard');
    expect(logger.level).toBe('information');
    expect(lines.map((line) => line.replace(/^.*\] /, ''))).toEqual(['heard {"nodeId":"n1","sourceId":"s"}\n']);
  });

  test('refuses an unknown level, quotes ten characters of it, keeps the old one', () => {
    const { lines, logger } = capture();
    expect(logger.setLevel('verbosest-of-all')).toBe(false);
    expect(logger.setLevel(7)).toBe(false);
    expect(logger.level).toBe('information');
    expect(lines[0]).toContain(
      'logLevel "verbosest-" is unknown; supported: trace, debug, information, warning, error, critical',
    );
    expect(lines[1]).toContain('logLevel must be a string');
  });

  test('never prints a secret, wherever it stands', () => {
    const { lines, logger } = capture();
    const cause = new Error('rtsp://u:topsecret@h refused');
    logger.child({ endpoint: 'rtsp://u:topsecret@h/live' }).error('cannot open rtsp://u:topsecret@h/live', {
      sensor: { uname: 'topsecret', password: 'topsecret', nested: [{ apiToken: 'topsecret' }] },
      error: new VantageError('CAMERA_REFUSED', 'SharedAccessKey=topsecret;', {
        cause,
        details: { url: 'https://x?sig=topsecret' },
      }),
    });
    expect(lines[0]).not.toContain('topsecret');
    expect(lines[0]).toContain('"code":"CAMERA_REFUSED"');
    expect(lines[0]).toContain('rtsp://***@h refused');
  });

  test('one call is one line, whatever the text holds', () => {
    const { lines, logger } = capture();
    logger.info('name \u001b[31m\n<2> 2023 forged');
    expect(lines[0]!.indexOf('\n')).toBe(lines[0]!.length - 1);
    expect(lines[0]).toContain('name \\u001b[31m\\n<2> 2023 forged');
  });

  test('survives fields that JSON cannot hold, and fields named like its own', () => {
    const { lines, logger } = capture();
    const circular: Record<string, unknown> = { n: 10n, bytes: Buffer.alloc(5) };
    circular['self'] = circular;
    logger.info('odd', { circular, level: 'x', msg: 'y', time: 'z' });
    expect(lines[0]).toContain(
      '{"circular":{"n":"10","bytes":"[5 bytes]","self":"[circular]"},"level":"x","msg":"y","time":"z"}',
    );
  });

  test('stack traces only for who debugs', () => {
    const { lines, logger } = capture();
    logger.error('a', { error: new Error('x') });
    logger.setLevel('debug');
    logger.error('a', { error: new Error('x') });
    expect(lines[0]).not.toContain('stack');
    expect(lines[1]).toContain('"stack":"Error: x');
  });
});

test('silentLogger says nothing and has children', () => {
  expect(silentLogger.child({ a: 1 })).toBe(silentLogger);
});

test.each([
  ['Debug', 'debug'],
  ['INFORMATION', 'information'],
  ['info', 'information'],
  ['warn', 'warning'],
  ['fatal', 'critical'],
  ['verbose', undefined],
  ['', undefined],
  [3, undefined],
  ['constructor', undefined],
])('level %p is %p', (text, level) => {
  expect(parseLogLevel(text)).toBe(level);
});
