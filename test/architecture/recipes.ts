import { code, importsOf, isTest, type SourceFile, targetOf, type Violation } from './source.ts';

/**
 * CONTRIBUTING has a recipe for each kind of thing that is added again and again: a heading `## Add a <kind>`, and below
 * it a list whose items begin with a file in backticks. `<kind>` in a path stands for the name, any other placeholder for
 * anything, and a path that ends with a slash for a folder. A recipe is true when every member that exists keeps it.
 */
export interface Recipe {
  /** As in the heading: provider, scenario, topology, noun. */
  kind: string;
  /** The paths of the list's items, in their order. */
  paths: string[];
  /** Every path that the section names: what a member may need beyond the list. */
  named: string[];
}

export interface Members {
  kind: string;
  names: readonly string[];
  /** Paths of the list that some of them do without, as the recipe says. */
  optional?: readonly string[];
  /** Those of which only the files that the recipe names may import a part. */
  standAlone: readonly string[];
}

export function readRecipes(document: SourceFile): Recipe[] {
  return document.text
    .split(/^## /m)
    .filter((section) => section.startsWith('Add a '))
    .map((section) => ({
      kind: /^Add an? (\w+)/.exec(section)![1]!,
      paths: [...section.matchAll(/^- `([^`]+)`/gm)].map((match) => match[1]!),
      named: [...section.matchAll(/`([^`\s]+)`/g)].map((match) => match[1]!),
    }));
}

export function recipesAreTrue(files: SourceFile[], document: SourceFile, all: readonly Members[]): Violation[] {
  const recipes = readRecipes(document);
  return all.flatMap((members) => {
    const recipe = recipes.find(({ kind }) => kind === members.kind);
    if (!recipe || recipe.paths.length === 0)
      return [`${document.path}: no recipe that lists files for a ${members.kind}`];
    return members.names
      .flatMap((name) => memberKeeps(files, recipe, members, name))
      .map((what) => `${document.path}: a ${members.kind}: ${what}`);
  });
}

function memberKeeps(files: SourceFile[], recipe: Recipe, members: Members, name: string): string[] {
  const own = `<${recipe.kind}>`;
  const isOptional = (path: string) => members.optional?.includes(path) ?? false;
  const missing = recipe.paths
    .filter((path) => !isOptional(path) && !files.some((file) => matcher(path, recipe.kind, name).test(file.path)))
    .map((path) => `${name} has no ${path.replaceAll(own, name)}`);
  const silent = recipe.paths
    .filter((path) => !path.includes('<') && path.endsWith('.ts') && !isOptional(path))
    .filter(
      (path) =>
        !files
          .find((file) => file.path === path)
          ?.text.toLowerCase()
          .includes(name),
    )
    .map((path) => `${path} does not name ${name}`);
  return [
    ...missing,
    ...silent,
    ...(members.standAlone.includes(name) ? importsFromElsewhere(files, recipe, name) : []),
  ];
}

/** Production files that import what belongs to the member, and that the recipe does not name. */
function importsFromElsewhere(files: SourceFile[], recipe: Recipe, name: string): string[] {
  const own = recipe.paths.filter((path) => path.includes(`<${recipe.kind}>`));
  const belongs = (path: string) => own.some((one) => matcher(one, recipe.kind, name).test(path));
  return code(files)
    .filter(({ path }) => !isTest(path) && !belongs(path) && !recipe.named.includes(path))
    .filter((file) => importsOf(file).some(({ specifier }) => belongs(targetOf(file, specifier) ?? '')))
    .map(({ path }) => `${path} imports ${name}, and the recipe does not name it`);
}

function matcher(path: string, kind: string, name: string): RegExp {
  const pattern = path
    .replaceAll(`<${kind}>`, name)
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/<\w+>/g, '[^/]+');
  return new RegExp(path.endsWith('/') ? `^${pattern}` : `^${pattern}$`);
}
