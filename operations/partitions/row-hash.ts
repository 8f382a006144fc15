import { createHash } from 'node:crypto';

const modulus = 1n << 128n;

/**
 * A hash of a set of rows that does not depend on their order: the sum of the first 128 bits of each row's SHA-256,
 * modulo 2^128. Unlike XOR, two equal rows don't cancel each other out.
 */
export class RowSetHash {
  #sum = 0n;
  rows = 0;

  /** Values of one row as text, in column order. */
  add(values: readonly (string | null)[]): void {
    const digest = createHash('sha256').update(JSON.stringify(values)).digest();
    this.#sum = (this.#sum + ((digest.readBigUInt64BE(0) << 64n) | digest.readBigUInt64BE(8))) % modulus;
    this.rows += 1;
  }

  /** 32 hexadecimal digits. */
  get hex(): string {
    return this.#sum.toString(16).padStart(32, '0');
  }
}
