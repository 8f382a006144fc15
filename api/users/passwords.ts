import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { BulkheadRejectedError, bulkhead } from 'cockatiel';
import { AppError } from '../../kernel/http/errors.ts';

/** Argon2id hashes of passwords, a few at a time. */
export interface Passwords {
  /** A PHC string, with parameters and salt. @throws AppError rate_limited when too many wait. */
  hash(password: string): Promise<string>;
  /**
   * Whether the password is that of `stored`. Without one, as where there is no such user, it takes as long and is false.
   * @throws AppError rate_limited when too many wait.
   */
  verify(password: string, stored: string | undefined): Promise<boolean>;
}

export interface PasswordsOptions {
  /** Hashes at one time: each takes a thread and 19 MiB. */
  atOnce: number;
  /** Hashes that may wait for a thread. */
  maxQueue: number;
}

/** What OWASP's cheat sheet on password storage (2026) recommends as the least: 19 MiB, two passes. */
const strength = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 };
const saltBytes = 16;

const derive = promisify(argon2);

export function createPasswords({ atOnce, maxQueue }: PasswordsOptions): Passwords {
  const gate = bulkhead(atOnce, maxQueue);
  const run = (password: string, parameters: Omit<Argon2Parameters, 'message'>): Promise<Buffer> =>
    gate
      // The same letters may be typed in several ways.
      .execute(() => derive('argon2id', { message: password.normalize('NFKC'), ...parameters }))
      .catch((error) => {
        throw error instanceof BulkheadRejectedError ? tooMany() : error;
      });
  const newHash = async (password: string): Promise<string> => {
    const nonce = randomBytes(saltBytes);
    return encode(nonce, await run(password, { ...strength, nonce }));
  };
  return {
    hash: newHash,
    async verify(password, stored) {
      const { tag, ...parameters } = stored === undefined ? stranger() : decode(stored);
      const found = await run(password, parameters);
      return timingSafeEqual(found, tag) && stored !== undefined;
    },
  };
}

function tooMany(): AppError {
  return new AppError('rate_limited', 'Too many passwords are being checked. Repeat the request later.', {
    retryAfterSeconds: 1,
  });
}

/** Of no password: compared with for as long as with another one. */
function stranger() {
  return { ...strength, nonce: randomBytes(saltBytes), tag: randomBytes(strength.tagLength) };
}

/** https://github.com/P-H-C/phc-string-format */
function encode(nonce: Buffer, tag: Buffer): string {
  const { memory, passes, parallelism } = strength;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(nonce)}$${unpadded(tag)}`;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

/** With the parameters of its own time, so that stronger ones can be chosen later. */
function decode(stored: string) {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(stored);
  if (!match) throw new Error('a stored password hash is not argon2id');
  const [memory, passes, parallelism] = match.slice(1, 4).map(Number) as [number, number, number];
  const nonce = Buffer.from(match[4]!, 'base64');
  const tag = Buffer.from(match[5]!, 'base64');
  return { memory, passes, parallelism, tagLength: tag.length, nonce, tag };
}
