import { lineCount, production, type Rule, type SourceFile, topFolder } from './source.ts';

/** Lines of production code and SQL per top-level folder, the largest first; comments and empty lines count. */
export function linesPerFolder(files: SourceFile[]): [folder: string, lines: number][] {
  const lines = new Map<string, number>();
  for (const file of production(files)) {
    const folder = topFolder(file.path);
    lines.set(folder, (lines.get(folder) ?? 0) + lineCount(file.text));
  }
  return [...lines].sort(([, a], [, b]) => b - a);
}

const largestShare = 1 / 5;

/** A folder with more than a fifth of the code holds more than one thing. */
export const noFolderHoldsTooMuch: Rule = (files) => {
  const folders = linesPerFolder(files);
  const all = folders.reduce((sum, [, lines]) => sum + lines, 0);
  return folders
    .filter(([, lines]) => lines > all * largestShare)
    .map(([folder, lines]) => `${folder}/: ${lines} of ${all} lines are more than a fifth of the production code`);
};
