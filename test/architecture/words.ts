import { linesMatching, type Rule } from './source.ts';

/** Put together from parts, so that this file keeps its own rule. */
const vagueActor = new RegExp(`[Nn]o${''}body|[Ss]ome${''}body|[Aa]ny${''}body|[Ww]ho${''}ever|\\b[Nn]o one\\b(?!-)`);

/** Merged migrations never change, results are what a command has written, and one file knows an account of that name. */
function isFixed(name: string): boolean {
  return (
    /^(?:sql\/(?:base|topologies|dumps)|cdc\/clickhouse\/migrations|docs\/results)\//.test(name) ||
    name === 'runtime/native/server-user.ts'
  );
}

/** The one who acts has a name: a client, a consumer, an operator, a caller, a process. */
export const actorsAreNamed: Rule = (files) =>
  files
    .filter((file) => !isFixed(file.path))
    .flatMap((file) => linesMatching(file.text, vagueActor).map((line) => `${file.path}:${line}: name the actor`));
