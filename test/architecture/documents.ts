import path from 'node:path';
import type { Violation } from './rules.ts';
import type { SourceFile } from './source.ts';

/**
 * What a document names has to be there: folders and files in `code spans`, targets of links, npm scripts, commands.
 * Paths are looked up from the root; those with a placeholder (`<run>`, `*`, `…`) and those of other places are left
 * out.
 */
export function documentsAreTrue(
  files: SourceFile[],
  documents: SourceFile[],
  scripts: Readonly<Record<string, string>>,
  commands: readonly string[],
): Violation[] {
  const known = knownPaths(files);
  return documents.flatMap((document) => [
    ...namedPaths(document)
      .filter((name) => !known.has(name))
      .map((name) => `${document.path}: names ${name}, which does not exist`),
    ...linkTargets(document)
      .filter((target) => !known.has(target))
      .map((target) => `${document.path}: links to ${target}, which does not exist`),
    ...namedScripts(document)
      .filter((script) => scripts[script] === undefined)
      .map((script) => `${document.path}: names \`npm run ${script}\`, which package.json lacks`),
    ...namedCommands(document)
      .filter((command) => !commands.includes(command))
      .map((command) => `${document.path}: names \`lab ${command}\`, which is no command`),
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

/** All files and all folders above them, folders without a slash at the end. */
function knownPaths(files: SourceFile[]): Set<string> {
  const known = new Set(['.']);
  for (const file of files) {
    for (let name = file.path; name !== '.'; name = path.posix.dirname(name)) known.add(name);
  }
  return known;
}

const topLevel = /^(?:\.ci|kernel|api|ingest|cdc|sql|citus|replication|benchmarks|grafana|lab|test|docs)\//;

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

/** After `lab` in code: a span, or a line of a block that begins with it, with or without npx. */
function namedCommands(document: SourceFile): string[] {
  return [...document.text.matchAll(/(?:`|^ {4}|^)(?:npx )?lab ([a-z]+)(?=[ `\n])/gm)].map((match) => match[1]!);
}
