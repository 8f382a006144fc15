import { code, isTest, linesMatching, production, type Rule, type SourceFile, withoutComments } from './source.ts';
import { lineAt, type Node, walk } from './syntax.ts';

const topologyName = /(['"`])(?:plain|partitioned|citus|replicated)\1|^\s*(?:plain|partitioned|citus|replicated):/;
const askForCitus = /extname = 'citus'/;

/** The table itself, and the SQL that belongs to one topology. */
function hasNames(name: string): boolean {
  return name === 'kernel/topology.ts' || name.startsWith('sql/topologies/');
}

/**
 * A topology is what it can do: code that asks for its name has to be found again for each new topology. A name is a
 * string or a key of its own; names within a sentence, as in the examples of a help text, are none.
 */
export const capabilitiesInsteadOfNames: Rule = (files) =>
  production(files)
    .filter((file) => !hasNames(file.path))
    .flatMap((file) =>
      linesMatching(withoutSqlComments(file), topologyName)
        .filter((line) => !askForCitus.test(file.text.split('\n')[line - 1]!))
        .map((line) => `${file.path}:${line}: names a topology; ask kernel/topology.ts for a capability`),
    );

/** Whether a database has Citus is asked in one place; a second one is the same question under another name. */
export const citusIsAskedForOnce: Rule = (files) =>
  production(files)
    .flatMap((file) => linesMatching(withoutSqlComments(file), askForCitus).map((line) => `${file.path}:${line}`))
    .slice(1)
    .map((place) => `${place}: asks the database for Citus, as another file does`);

/**
 * `shardKey` names a column. Used as yes or no, it asks "is this Citus?": the capability that is meant has a name of its
 * own. Only a service's main.ts, which chooses the store, may.
 */
export const shardKeyIsAColumn: Rule = (files) =>
  code(files)
    .filter((file) => !isTest(file.path) && !hasNames(file.path) && !/^(?:api|ingest|cdc)\/main\.ts$/.test(file.path))
    .filter((file) => file.text.includes('shardKey'))
    .flatMap((file) => {
      const found: string[] = [];
      walk(file, (node, parents) => {
        if (node.type !== 'Identifier' || node.name !== 'shardKey' || !decides(node, parents)) return;
        found.push(`${file.path}:${lineAt(file, node.start)}: uses shardKey as yes or no`);
      });
      return found;
    });

/** Whether the value, as a variable or a member, is a condition or the answer of a predicate. */
function decides(node: Node, parents: readonly Node[]): boolean {
  const isMember = parents[0]?.type === 'MemberExpression' && parents[0].property === node;
  const [value, user] = isMember ? [parents[0]!, parents[1]] : [node, parents[0]];
  switch (user?.type) {
    case 'IfStatement':
    case 'ConditionalExpression':
      return user.test === value;
    case 'LogicalExpression':
    case 'UnaryExpression':
    case 'BinaryExpression':
      return true;
    case 'ArrowFunctionExpression':
      return user.body === value;
    default:
      return false;
  }
}

function withoutSqlComments(file: SourceFile): string {
  return file.path.endsWith('.sql') ? file.text.replace(/--.*$/gm, '') : withoutComments(file.text);
}
