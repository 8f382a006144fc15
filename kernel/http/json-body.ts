import { AppError } from './errors.ts';

// A byte order mark stays, and is refused as JSON: without it the text would not be what was signed.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const maxDepth = 32;

/**
 * Parses a raw JSON body that came from outside. Stricter than JSON.parse where money or the database would suffer:
 * invalid UTF-8, NUL characters and halves of surrogate pairs (PostgreSQL cannot store them), `__proto__` keys, deep
 * nesting, and amounts written as anything but plain digits (`1e3`, `10.0`, integers that lose digits) are refused.
 * @throws AppError malformed_body
 */
export function parseJsonBody(raw: Buffer): { text: string; body: unknown } {
  const text = decodeUtf8(raw);
  checkNumbers(text);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new AppError('malformed_body', 'body: must be well-formed JSON.');
  }
  // The text is searched first, because walking every body would cost more than these rare findings are worth.
  if (suspicious.test(text) || tooManyBrackets(text)) checkValue(body, 0);
  return { text, body };
}

/** What the text holds when it may have a NUL, half of a surrogate pair or `__proto__`, however that is escaped. */
const suspicious = /__proto__|\\u(?:00|d[89a-f])/i;

function decodeUtf8(raw: Buffer): string {
  try {
    return decoder.decode(raw);
  } catch {
    throw new AppError('malformed_body', 'body: must be valid UTF-8.');
  }
}

const amountLiteral = /"(?:amount_minor|amount|value)"\s*:\s*(-?[0-9][0-9.eE+-]*)/g;

function checkNumbers(text: string): void {
  for (const [, literal] of text.matchAll(amountLiteral)) {
    if (!/^-?[0-9]+$/.test(literal!)) {
      throw new AppError(
        'malformed_body',
        `amount_minor: write whole minor units as plain digits, not ${literal!.slice(0, 24)}.`,
      );
    }
  }
}

function tooManyBrackets(text: string): boolean {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if ((char === 0x5b || char === 0x7b) && ++count > maxDepth) return true;
  }
  return false;
}

function checkValue(value: unknown, depth: number): void {
  if (depth > maxDepth) throw new AppError('malformed_body', `body: nested deeper than ${maxDepth} levels.`);
  if (typeof value === 'string' && value.includes('\0')) {
    throw new AppError('malformed_body', 'body: strings must not contain NUL (\\u0000).');
  }
  if (typeof value === 'string' && !value.isWellFormed()) {
    throw new AppError('malformed_body', 'body: strings must not contain half of a surrogate pair.');
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') throw new AppError('malformed_body', 'body: the key __proto__ is not accepted.');
    checkValue(key, depth);
    checkValue(item, depth + 1);
  }
}
