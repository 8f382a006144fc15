import Table from 'cli-table3';

/** The command's result; nothing else goes to stdout when JSON was asked for. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Text for a reader, on stdout. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** One line of progress, on stderr. */
export function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A table without frames, as wide as its cells. */
export function table(head: string[], rows: (string | number)[][]): string {
  const plain = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' };
  const none = { 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '' };
  const result = new Table({
    head,
    chars: { ...plain, ...none, right: '', 'right-mid': '', middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  result.push(...rows);
  return result.toString();
}
