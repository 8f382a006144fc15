import { production, type SourceFile, withoutComments } from './source.ts';

const windowLines = 6;

interface Line {
  path: string;
  line: number;
  text: string;
}

/** Two places that hold the same six lines or more. */
export interface DuplicateRun {
  first: string;
  second: string;
  lines: number;
}

/**
 * Runs of at least six identical lines, each pair of places once. Indentation, comments, imports and lines without a
 * word don't count. SQL of the topologies is left out: there the same lines are wanted, so that a diff shows the rest.
 */
export function duplicateRuns(files: SourceFile[]): DuplicateRun[] {
  const texts = production(files)
    .filter((file) => !file.path.startsWith('sql/topologies/'))
    .map(significantLines);
  const lines = texts.flat();
  const windows = windowsByText(texts);
  const isPair = (a: number, b: number) =>
    a >= 0 && lines[a]!.path === lines[a + 1]!.path && lines[b]!.path === lines[b + 1]!.path && same(a, b);
  const same = (a: number, b: number) => lines[a]!.text === lines[b]!.text;
  const runs: DuplicateRun[] = [];
  for (const starts of windows.values()) {
    for (const [at, a] of starts.entries()) {
      for (const b of starts.slice(at + 1)) {
        if (isPair(a - 1, b - 1) || overlap(lines, a, b)) continue;
        let length = windowLines;
        const goesOn = (from: number) => lines[from + length]?.path === lines[from]!.path;
        while (goesOn(a) && goesOn(b) && same(a + length, b + length)) length += 1;
        runs.push({ first: place(lines[a]!), second: place(lines[b]!), lines: length });
      }
    }
  }
  return runs;
}

/** The text of each window, with the places in the list of all lines where one begins. */
function windowsByText(texts: Line[][]): Map<string, number[]> {
  const windows = new Map<string, number[]>();
  let offset = 0;
  for (const lines of texts) {
    for (let at = 0; at + windowLines <= lines.length; at += 1) {
      const text = lines
        .slice(at, at + windowLines)
        .map((line) => line.text)
        .join('\n');
      windows.set(text, [...(windows.get(text) ?? []), offset + at]);
    }
    offset += lines.length;
  }
  return windows;
}

/** Lines that repeat themselves within one file would else be a run with their own neighbours. */
function overlap(lines: Line[], a: number, b: number): boolean {
  return lines[a]!.path === lines[b]!.path && b - a < windowLines;
}

function significantLines(file: SourceFile): Line[] {
  const blank = (text: string) => text.replace(/[^\n]/g, '');
  const text = file.path.endsWith('.sql')
    ? file.text.replace(/--.*$/gm, '')
    : withoutComments(file.text).replace(/^import [^;]*;/gm, blank);
  return text
    .split('\n')
    .map((line, at) => ({ path: file.path, line: at + 1, text: line.trim().replace(/\s+/g, ' ') }))
    .filter((line) => /\w/.test(line.text));
}

function place({ path, line }: Line): string {
  return `${path}:${line}`;
}
