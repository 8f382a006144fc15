import { randomFillSync } from 'node:crypto';

const pool = Buffer.alloc(4096);
// State at import because the block of random bytes serves every caller; nothing can be read from it twice.
let offset = pool.length;

/**
 * A UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix time in milliseconds, then random bits, so that new keys land at
 * the right-hand edge of an index. Random bytes are drawn in blocks, since one system call an id would dominate.
 */
export function uuidv7(nowMs: number): string {
  if (offset + 10 > pool.length) {
    randomFillSync(pool);
    offset = 0;
  }
  const random = pool.toString('hex', offset, offset + 10);
  offset += 10;
  const time = nowMs.toString(16).padStart(12, '0');
  const variant = ((Number.parseInt(random[3]!, 16) & 0x3) | 0x8).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${random.slice(7, 19)}`;
}
