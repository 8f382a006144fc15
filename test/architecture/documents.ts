import path from 'node:path';
import type { SourceFile, Violation } from './source.ts';

/** Every command of `lab`, as typed (`up`, `partitions list`), with its options (`--json`). */
export type CommandLine = ReadonlyMap<string, readonly string[]>;

/**
 * What a document names has to be there: folders and files in `code spans`, targets of links with their headings, npm
 * scripts, commands and their options. Paths are looked up from the root; those with a placeholder (`<run>`, `*`, `…`)
 * and those of other places are left out.
 */
export function documentsAreTrue(
  files: SourceFile[],
  documents: SourceFile[],
  scripts: Readonly<Record<string, string>>,
  commands: CommandLine,
): Violation[] {
  const known = knownPaths(files);
  const headings = new Map(documents.map((document) => [document.path, headingAnchors(document)]));
  return documents.flatMap((document) => [
    ...namedPaths(document)
      .filter((name) => !known.has(name))
      .map((name) => `${document.path}: names ${name}, which does not exist`),
    ...linkTargets(document)
      .filter((target) => !known.has(target))
      .map((target) => `${document.path}: links to ${target}, which does not exist`),
    ...linkAnchors(document)
      .filter(({ target, anchor }) => headings.has(target) && !headings.get(target)!.includes(anchor))
      .map(({ target, anchor }) => `${document.path}: links to #${anchor}, which ${target} lacks`),
    ...namedScripts(document)
      .filter((script) => scripts[script] === undefined)
      .map((script) => `${document.path}: names \`npm run ${script}\`, which package.json lacks`),
    ...namedCommands(document).flatMap((words) =>
      wrongWords(words, commands).map((what) => `${document.path}: ${what}`),
    ),
  ]);
}

/** Commands and top-level folders that the README passes over. */
export function readmeIsComplete(files: SourceFile[], readme: SourceFile, commands: readonly string[]): Violation[] {
  const folders = new Set(
    files.filter((file) => /^[a-z]\w*\//.test(file.path)).map((file) => file.path.split('/')[0]!),
  );
  return [
    ...commands.filter((command) => !readme.text.includes(`\`lab ${command}`)).map((command) => `\`lab ${command}\``),
    ...[...folders].filter((folder) => !readme.text.includes(`| \`${folder}/\` |`)).map((folder) => `\`${folder}/\``),
  ].map((missing) => `${readme.path}: does not mention ${missing}`);
}

const maxColumns = 120;

/** Prose is as wide as the code; tables, code and results, which commands write, may be wider. */
export function proseIsNarrow(documents: readonly SourceFile[]): Violation[] {
  return documents
    .filter((document) => !document.path.startsWith('docs/results/'))
    .flatMap((document) => {
      let fenced = false;
      return document.text.split('\n').flatMap((line, at) => {
        if (line.startsWith('```')) fenced = !fenced;
        const code = fenced || /^ {4}/.test(line);
        if (code || line.startsWith('|') || line.length <= maxColumns) return [];
        return [`${document.path}:${at + 1}: wider than ${maxColumns} characters`];
      });
    });
}

/** All files and all folders above them, folders without a slash at the end. */
function knownPaths(files: SourceFile[]): Set<string> {
  const known = new Set(['.']);
  for (const file of files) {
    for (let name = file.path; name !== '.'; name = path.posix.dirname(name)) known.add(name);
  }
  return known;
}

const topLevel =
  /^(?:\.ci|kernel|ledger|stream|sql|api|ingest|cdc|notifications|runtime|simulator|audit|citus|replication|operations|benchmarks|drills|grafana|lab|test|docs)\//;

function namedPaths(document: SourceFile): string[] {
  return [...document.text.matchAll(/`([^`\s]+)`/g)]
    .map((match) => match[1]!)
    .filter((name) => topLevel.test(name) && /^[\w./-]+$/.test(name))
    .map((name) => name.replace(/\/$/, ''));
}

function linkTargets(document: SourceFile): string[] {
  return [...document.text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1]!.replace(/#.*$/, ''))
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
    .map((target) => path.posix.join(path.posix.dirname(document.path), target).replace(/\/$/, ''));
}

function namedScripts(document: SourceFile): string[] {
  return [...document.text.matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1]!);
}

/** What stands after `lab` in code: a span, or a line of a block that begins with it, with or without npx. */
function namedCommands(document: SourceFile): string[][] {
  return [...document.text.matchAll(/(?:`|&& |^ {4}|^)(?:npx )?lab ([a-z][^`\n#&|]*)/gm)].map((match) =>
    match[1]!.trim().split(/\s+/),
  );
}

function wrongWords([first, second, ...more]: readonly string[], commands: CommandLine): string[] {
  const names = [...commands.keys()];
  if (!names.some((name) => name.split(' ')[0] === first)) return [`names \`lab ${first}\`, which is no command`];
  const name = commands.has(first!) ? first! : `${first} ${second}`;
  // `lab dlq` alone names the whole family.
  if (second === undefined) return [];
  const options = commands.get(name);
  if (!options) return [`names \`lab ${name}\`, which is no command`];
  return [second, ...more]
    .map((word) => /^--[a-z-]+/.exec(word)?.[0])
    .filter((option) => option !== undefined && option !== '--help' && !options.includes(option))
    .map((option) => `names \`lab ${name} ${option}\`, which is no option`);
}

/** The headings of a document as the page's anchors. */
function headingAnchors({ text }: SourceFile): string[] {
  const anchor = (heading: string) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
  return [...text.matchAll(/^#+ (.+)$/gm)].map((match) => anchor(match[1]!));
}

function linkAnchors(document: SourceFile): { target: string; anchor: string }[] {
  return [...document.text.matchAll(/\]\(([^)\s:#]*)#([^)\s]+)\)/g)].map((match) => ({
    target: match[1] ? path.posix.join(path.posix.dirname(document.path), match[1]) : document.path,
    anchor: match[2]!,
  }));
}
