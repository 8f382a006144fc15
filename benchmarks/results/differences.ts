export interface Difference {
  /** Path of the field, as in `arms.plain.summary.ingest.rate.median`. */
  where: string;
  stored: string;
  derived: string;
}

/** Numbers went through text, and sums through another order. */
const tolerance = 1e-9;

/** Every field in which what is stored is not what was derived. */
export function differencesOf(where: string, stored: unknown, derived: unknown): Difference[] {
  if (isEqual(stored, derived)) return [];
  if (isObject(stored) && isObject(derived)) {
    const names = new Set([...Object.keys(stored), ...Object.keys(derived)]);
    return [...names].flatMap((name) => differencesOf(`${where}.${name}`, stored[name], derived[name]));
  }
  return [{ where, stored: inWords(stored), derived: inWords(derived) }];
}

function isEqual(stored: unknown, derived: unknown): boolean {
  if (typeof stored !== 'number' || typeof derived !== 'number') return stored === derived;
  return Math.abs(stored - derived) <= tolerance * Math.max(1, Math.abs(stored), Math.abs(derived));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function inWords(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
