import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Child } from './support.js';

interface Seen {
  readonly messages: number;
  readonly recoveries: number;
  readonly again: number;
}

test(
  '500 processes are killed at random moments, and nothing is lost, torn, stuck or half counted',
  { timeout: 180_000 },
  async () => {
    const child = new Child(process.execPath, [fileURLToPath(new URL('torture.mjs', import.meta.url)), '--kills=500']);
    let text = '';
    child.process.stdout?.on('data', (part: Buffer) => (text += part.toString()));
    const end = await child.ended;
    const seen = JSON.parse(text) as Seen;
    console.log(text);
    expect(end).toMatchObject({ code: 0, stderr: '' });
    expect(seen).toMatchObject({
      ends: { SIGKILL: 500 },
      torn: 0,
      gaps: 0,
      missing: 0,
      broken: 0,
      end: 'ERR_PEER_DIED',
    });
    expect(seen.again).toBeLessThanOrEqual(500);
    // it did happen
    expect(seen.recoveries).toBeGreaterThan(0);
    expect(seen.messages).toBeGreaterThan(500);
  },
);
