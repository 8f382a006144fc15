import { code, importsOf, isTest, type Rule, type SourceFile, targetOf } from './source.ts';

/**
 * Files that import each other, directly or through others, imports of types and dynamic ones included: none of them can
 * be read, tested or moved alone. Each circle is one list of files (a strongly connected component, after Tarjan).
 */
export function importCircles(files: SourceFile[]): string[][] {
  const imports = importGraph(files);
  const circles: string[][] = [];
  const index = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const visit = (name: string): void => {
    const own = index.size;
    index.set(name, own);
    lowest.set(name, own);
    stack.push(name);
    for (const next of imports.get(name) ?? []) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) lowest.set(name, Math.min(lowest.get(name)!, lowest.get(next)!));
    }
    if (lowest.get(name) !== own) return;
    const circle = stack.splice(stack.indexOf(name));
    if (circle.length > 1) circles.push(circle.sort());
  };
  for (const name of imports.keys()) if (!index.has(name)) visit(name);
  return circles;
}

function importGraph(files: SourceFile[]): Map<string, string[]> {
  const known = new Set(files.map((file) => file.path));
  const targets = (file: SourceFile) =>
    importsOf(file)
      .map(({ specifier }) => targetOf(file, specifier))
      .filter((target) => target !== undefined && known.has(target)) as string[];
  return new Map(
    code(files)
      .filter((file) => !isTest(file.path))
      .map((file) => [file.path, targets(file)]),
  );
}

export const noImportCircles: Rule = (files) =>
  importCircles(files).map((circle) => `${circle[0]}: a circle of imports with ${circle.slice(1).join(', ')}`);
