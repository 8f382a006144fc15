/** A number for a reader, with thousands separated; a dash for none. */
export function number(value: number | undefined | null, digits = 0): string {
  if (value === undefined || value === null || !Number.isFinite(value)) return '–';
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Milliseconds with as many digits as mean something. */
export function milliseconds(value: number | undefined): string {
  if (value === undefined) return '–';
  return `${number(value, value < 1 ? 2 : value < 10 ? 1 : 0)} ms`;
}

export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  return `${number(value / 1e3 ** power, power === 0 ? 0 : 1)} ${units[power]}`;
}

export function percent(share: number, digits = 0): string {
  return `${number(share * 100, digits)} %`;
}
