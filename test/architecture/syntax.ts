import { type ESTree, parseSync } from 'vite';
import type { SourceFile } from './source.ts';

/** A node of a syntax tree, in the form of ESTree with TypeScript's additions. */
export type Node = ESTree.Node;

/** Calls `visit` for every node of the file, outer ones first; `parents` begins with the nearest. */
export function walk(file: SourceFile, visit: (node: Node, parents: readonly Node[]) => void): void {
  const { program, errors } = parseSync(file.path, file.text);
  if (errors.length > 0) throw new Error(`${file.path} can't be parsed: ${errors[0]!.message}`);
  const descend = (node: Node, parents: readonly Node[]): void => {
    visit(node, parents);
    const below = [node, ...parents];
    for (const child of childrenOf(node)) descend(child, below);
  };
  descend(program as Node, []);
}

function childrenOf(node: Node): Node[] {
  return Object.values(node).flat().filter(isNode);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}

/** The line, from 1, on which the offset stands. */
export function lineAt(file: SourceFile, offset: number): number {
  return file.text.slice(0, offset).split('\n').length;
}
