import { asWritten, exactNumber, parseJson, type RawNumber } from '../json.ts';
import { AppError, fieldRefusal } from './errors.ts';

// A byte order mark stays, and is refused as JSON: without it the text would not be what was signed.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const maxDepth = 32;

/**
 * Parses a raw JSON body that came from outside. Stricter than JSON.parse where money or the database would suffer:
 * invalid UTF-8, NUL characters and halves of surrogate pairs (PostgreSQL cannot store them), `__proto__` keys and deep
 * nesting are refused. Numbers stay exact, see `parseJson`; those that no double comes near are refused. An amount that
 * is not written in plain digits (`1e3`, `10.0`) becomes none of JavaScript's numbers, so that every schema refuses it.
 * @throws AppError malformed_body
 */
export function parseJsonBody(raw: Buffer): { text: string; body: unknown } {
  const text = decodeUtf8(raw);
  let body: unknown;
  try {
    body = parseJson(text, readNumber);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw fieldRefusal('malformed_body', 'body', 'must be well-formed JSON');
  }
  // The text is searched first, because walking every body would cost more than these rare findings are worth.
  if (isSuspicious(text) || tooManyBrackets(text)) checkValue(body, []);
  return { text, body };
}

/** As long as no sensible number is; the database would write 1e100000 with all of its digits. */
const maxNumberCharacters = 400;
/** Keys of amounts: `amount_minor`, `amount_captured`, `value`. */
const amountKey = /amount|value/i;

function readNumber(source: string, value: number, key: string): number | RawNumber {
  const underflows = value === 0 && /^[^eE]*[1-9]/.test(source);
  if (!Number.isFinite(value) || underflows || source.length > maxNumberCharacters) {
    const field = /^[\w.$-]{1,200}$/.test(key) ? key : 'body';
    throw fieldRefusal(
      'malformed_body',
      field,
      `the number ${source.slice(0, 24)} is out of range; send it as a string`,
    );
  }
  return amountKey.test(key) && /[.eE]/.test(source) ? asWritten(source) : exactNumber(source, value);
}

/** Whether the text may have a NUL, half of a surrogate pair or `__proto__`, however that is escaped. */
function isSuspicious(text: string): boolean {
  return text.includes('__proto__') || (text.includes('\\u') && /\\u(?:00|d[89a-f])/i.test(text));
}

function decodeUtf8(raw: Buffer): string {
  try {
    return decoder.decode(raw);
  } catch {
    throw fieldRefusal('malformed_body', 'body', 'must be valid UTF-8');
  }
}

function tooManyBrackets(text: string): boolean {
  let count = 0;
  for (const bracket of ['[', '{']) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      count += 1;
      if (count > maxDepth) return true;
    }
  }
  return false;
}

/** @param path The names and indexes that lead to `value`. */
function checkValue(value: unknown, path: readonly string[]): void {
  if (path.length > maxDepth)
    throw fieldRefusal('malformed_body', 'body', `must be nested at most ${maxDepth} levels deep`);
  if (typeof value === 'string') checkText(value, path);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') throw refused(path, 'must not have the key __proto__');
    checkText(key, path);
    checkValue(item, [...path, key]);
  }
}

function checkText(text: string, path: readonly string[]): void {
  if (text.includes('\0')) throw refused(path, 'must not contain NUL (\\u0000)');
  if (!text.isWellFormed()) throw refused(path, 'must not contain half of a surrogate pair');
}

function refused(path: readonly string[], reason: string): AppError {
  const field = path.join('.');
  // A name that a sender made up may be long, and hold what is refused itself.
  return fieldRefusal('malformed_body', /^[\w.$-]{1,200}$/.test(field) ? field : 'body', reason);
}
