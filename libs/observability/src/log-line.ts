/** Syslog severities (RFC 5424) by pino's level numbers; edgeAgent's `loglevel` filter reads them. */
const SEVERITY: Readonly<Record<number, number>> = { 10: 7, 20: 7, 30: 6, 40: 4, 50: 3, 60: 2 };

/** pino's JSON line as a line of IoT Edge: one line whatever the text holds, time in UTC. */
export function formatLine(json: string, module: string): string {
  const record = JSON.parse(json) as { level: number; time: number; msg?: string; f?: Record<string, unknown> };
  const stamp = new Date(record.time).toISOString().replace('T', ' ').replace('Z', ' +00:00');
  const fields = record.f !== undefined && Object.keys(record.f).length > 0 ? ` ${JSON.stringify(record.f)}` : '';
  return `<${SEVERITY[record.level] ?? 6}> ${stamp} [${module}] ${oneLine(record.msg ?? '')}${fields}\n`;
}

/** Control characters would let a camera's name forge log lines or paint the terminal. */
function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f\u0080-\u009f]/g, (char) =>
    JSON.stringify(char)
      .slice(1, -1)
      .replace(/^[^\\]$/, ' '),
  );
}
