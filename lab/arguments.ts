import { InvalidArgumentError } from 'commander';

/** A parser of option values for commander: a whole number within these bounds. */
export function wholeNumber(lowest: number, highest = 999_999_999): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d{1,9}$/.test(text) && value >= lowest && value <= highest) return value;
    throw new InvalidArgumentError(`It has to be a whole number from ${shown(lowest)} to ${shown(highest)}.`);
  };
}

/** A parser of option values for commander: a number within these bounds. */
export function decimal(lowest: number, highest: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= lowest && value <= highest) return value;
    throw new InvalidArgumentError(`It has to be a number from ${shown(lowest)} to ${shown(highest)}.`);
  };
}

/** A parser of option values for commander: words with commas between them. */
export function list(text: string): string[] {
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);
  if (words.length === 0) throw new InvalidArgumentError('It has to name at least one.');
  return words;
}

/** A parser of option values for commander: so many days, as in `30d`. */
export function days(highest: number): (text: string) => number {
  return (text) => {
    const value = Number(/^(\d{1,4})d$/.exec(text)?.[1]);
    if (value >= 1 && value <= highest) return value;
    throw new InvalidArgumentError(`It has to be a number of days from 1d to ${highest}d, as in 30d.`);
  };
}

/** The port of a service; 0 would be a port that the operator did not ask for. */
export const port = wholeNumber(1, 65_535);

/** Each replica takes a WAL sender and a slot of the primary. */
export const maxReplicas = 8;

function shown(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 3 });
}
