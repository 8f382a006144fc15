import { code, isTest, type Rule, type SourceFile } from './source.ts';
import { lineAt, type Node, walk } from './syntax.ts';

export interface FunctionSize {
  path: string;
  line: number;
  name: string;
  lines: number;
  /** Whether a comment inside it or right above it says why it is long. */
  explained: boolean;
}

const maxFunctionLines = 60;
const maxLongFunctions = 10;

/** Production functions that don't fit on a screen, the longest first. Tests are lists of cases and may be long. */
export function longFunctions(files: SourceFile[]): FunctionSize[] {
  return code(files)
    .filter((file) => !isTest(file.path))
    .flatMap(functionsOf)
    .filter(({ lines }) => lines > maxFunctionLines)
    .sort((a, b) => b.lines - a.lines);
}

function functionsOf(file: SourceFile): FunctionSize[] {
  const found: FunctionSize[] = [];
  walk(file, (node, parents) => {
    if (!/^(?:FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) return;
    const line = lineAt(file, node.start);
    const lines = lineAt(file, node.end) - line + 1;
    found.push({ path: file.path, line, name: nameOf(node, parents), lines, explained: isExplained(file, node, line) });
  });
  return found;
}

/** Its own name, or that of the variable, property or method that holds it. */
function nameOf(node: Node, parents: readonly Node[]): string {
  const [name] = [node, parents[0]!].flatMap((one) => ('id' in one && one.id) || ('key' in one && one.key) || []);
  return name && 'name' in name ? String(name.name) : '(anonymous)';
}

function isExplained(file: SourceFile, node: Node, line: number): boolean {
  const above = file.text.split('\n').slice(0, line - 1);
  const isComment = (text: string) => /^\s*(?:\/\/|\/?\*)/.test(text);
  const comment = above.slice(above.findLastIndex((text) => !isComment(text)) + 1);
  const own = file.text.slice(node.start, node.end);
  return /Longer than 60 lines because\s+\S/.test(`${comment.join('\n')}\n${own}`);
}

/** A function within a screen can be read as a whole; its parts have names. A few may be longer, with a reason. */
export const functionsStayShort: Rule = (files) => {
  const long = longFunctions(files);
  const unexplained = long
    .filter(({ explained }) => !explained)
    .map(({ path, line, name, lines }) => `${path}:${line}: ${name} has ${lines} lines`);
  const tooMany = long.filter(({ explained }) => explained).slice(maxLongFunctions);
  return unexplained.concat(
    tooMany.map(
      ({ path, line, name }) => `${path}:${line}: ${name} is one long function more than ${maxLongFunctions}`,
    ),
  );
};

/** `...{ a, b }` and `...[a, b]`: literals that are spread into another only to share a line. One property a line. */
export const noFormatterSpreads: Rule = (files) =>
  code(files).flatMap((file) => {
    const found: string[] = [];
    walk(file, (node) => {
      if (node.type !== 'SpreadElement' || !/^(?:Object|Array)Expression$/.test(node.argument.type)) return;
      found.push(`${file.path}:${lineAt(file, node.start)}: spreads a literal; write it out`);
    });
    return found;
  });
