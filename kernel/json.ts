/** What ECMAScript has and TypeScript's library does not declare yet: a number that is written as it was read. */
export interface RawNumber {
  readonly rawJSON: string;
}

interface RawJson {
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
}
const json = JSON as unknown as RawJson;

export const isRawNumber = (value: unknown): value is RawNumber => json.isRawJSON(value);

/** What becomes of a number that is not written as a plain integer in the safe range. */
export type ReadNumber = (source: string, value: number, key: string) => number | RawNumber;

/**
 * A number that has a fraction, an exponent or sixteen digits, in a list or behind a colon (but not in a time of day).
 * Text that looks the same inside of a string does no harm.
 */
const unusualNumber = /(?<![0-9]):\s*-?[0-9]+(?:[.eE]|[0-9]{15})|[,[]\s*-?[0-9]+(?:[.eE]|[0-9]{15})/;

/**
 * As JSON.parse, but that no number changes: one which a double can't hold becomes an object that JSON.stringify writes
 * as it was read.
 * @throws SyntaxError as JSON.parse does
 */
export function parseJson(text: string, readNumber: ReadNumber = exactNumber): unknown {
  // A reviver takes ten times as long, and few texts need it.
  if (!unusualNumber.test(text)) return JSON.parse(text);
  return json.parse(text, (key, value, { source }) =>
    typeof value === 'number' && source !== undefined && !isPlain(source, value)
      ? readNumber(source, value, key)
      : value,
  );
}

/** The number where a double holds it exactly, else its text. */
export function exactNumber(source: string, value: number): number | RawNumber {
  return isExact(source, value) ? value : asWritten(source);
}

/** A number that JSON.stringify writes like this. */
export function asWritten(source: string): RawNumber {
  return json.rawJSON(source);
}

function isPlain(source: string, value: number): boolean {
  return Number.isSafeInteger(value) && /^-?[0-9]+$/.test(source);
}

function isExact(source: string, value: number): boolean {
  return Number.isFinite(value) && decimal(source) === decimal(String(value));
}

/** A decimal number in one form, so that equal numbers are equal texts: `1.50e3` and `1500` become `15e2`. */
function decimal(text: string): string {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(
    text,
  )!;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}
