import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

/** One text file of the repository. */
export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  path: string;
  text: string;
}

/** An import as it stands in a file. */
export interface Import {
  /** As written: `./x.ts`, `node:fs`, `pg`. */
  specifier: string;
  line: number;
}

/** A broken rule, as it is printed: `api/x.ts:3: imports …`. */
export type Violation = string;

/** What has to hold for the repository as a whole; nothing where it does. */
export type Rule = (files: SourceFile[]) => Violation[];

const textFile =
  /(^|\/)(\.ci\/run|\.[a-z]+|Dockerfile|[^/]+\.(ts|js|mjs|sql|sh|json|md|svg|css|yaml|yml|xml|html|txt|diff|env|conf|cfg))$/;

/** Every text file that is, or would be, committed; the lock file and generated results aside. */
export async function readRepository(root: string): Promise<SourceFile[]> {
  const names = (await listFiles(root)).filter((name) => textFile.test(name) && name !== 'package-lock.json');
  const files = await Promise.all(
    names.map(async (name) => ({
      path: name,
      text: await readFile(path.join(root, name), 'utf8').catch(() => undefined),
    })),
  );
  // A file that git still lists and that was just removed has no text.
  return files.filter((file): file is SourceFile => file.text !== undefined);
}

/** What git would commit; in a copy without git, everything but installed packages and results. */
async function listFiles(root: string): Promise<string[]> {
  try {
    const listing = ['-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
    const { stdout } = await promisify(execFile)('git', listing, { maxBuffer: 1 << 26 });
    return [...new Set(stdout.split('\0').filter(Boolean))];
  } catch {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
      .filter((name) => !/^(node_modules|results|coverage)\//.test(name));
  }
}

/**
 * The code without its comments and with the contents of multi-line templates kept; line numbers stay. Good enough for
 * code that Biome formats: a comment begins a line or follows code after two slashes and a space.
 */
export function withoutComments(code: string): string {
  const blank = (text: string): string => text.replace(/[^\n]/g, ' ');
  return code
    .replace(/^[ \t]*\/\*[\s\S]*?\*\//gm, blank)
    .replace(/^[ \t]*\/\/.*$/gm, blank)
    .replace(/(?<=[;{},)]) \/\/ .*$/gm, blank);
}

const staticImports = [/^(?:import|export)\s[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm, /^import\s*['"]([^'"]+)['"]/gm];
const dynamicImport = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** All imports of a file: static, dynamic, of types, and re-exports. */
export function importsOf(file: SourceFile): Import[] {
  const code = withoutComments(file.text);
  const found = staticImports.flatMap((pattern) => [...code.matchAll(pattern)]);
  const dynamic = [...code.matchAll(dynamicImport)].filter((match) => !insideString(code, match.index));
  return [...found, ...dynamic].map((match) => ({
    specifier: match[1]!,
    line: code.slice(0, match.index).split('\n').length,
  }));
}

/** Whether an odd number of quotes stands before `index` on its line. */
function insideString(code: string, index: number): boolean {
  const before = code.slice(code.lastIndexOf('\n', index) + 1, index);
  return ['"', "'", '`'].some((quote) => before.split(quote).length % 2 === 0);
}

/** The repository path that a relative import leads to; undefined for packages. */
export function targetOf(file: SourceFile, specifier: string): string | undefined {
  return specifier.startsWith('.') ? path.posix.join(path.posix.dirname(file.path), specifier) : undefined;
}

export function code(files: SourceFile[]): SourceFile[] {
  return files.filter((file) => /\.(ts|js)$/.test(file.path) && !file.path.endsWith('.d.ts'));
}

/** Code and SQL that ship: neither tests nor what a program has written. */
export function production(files: SourceFile[]): SourceFile[] {
  return files.filter(
    ({ path: name }) =>
      /\.(ts|sql)$/.test(name) &&
      !isTest(name) &&
      !name.startsWith('sql/dumps/') &&
      name !== 'kernel/postgres/schema.ts',
  );
}

/** Tests and what only they use, wherever it stands. */
export function isTest(name: string): boolean {
  return name.startsWith('test/') || /\.test\.ts$/.test(name) || name === 'vitest.config.ts';
}

export function topFolder(name: string): string {
  return name.split('/')[0]!;
}

export function lineCount(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

/** Numbers of the lines, from 1, that the pattern matches. */
export function linesMatching(text: string, pattern: RegExp): number[] {
  return text.split('\n').flatMap((line, index) => (pattern.test(line) ? [index + 1] : []));
}
