import path from 'node:path';
import {
  code,
  importsOf,
  isTest,
  lineCount,
  linesMatching,
  type Rule,
  type SourceFile,
  targetOf,
  topFolder,
  withoutComments,
} from './source.ts';

const deployables = ['kernel', 'ledger', 'stream', 'sql', 'api', 'ingest', 'cdc', 'notifications', 'payments'];
const system = deployables.concat('runtime');
const instruments = system.concat('simulator', 'audit');
const tools = instruments.concat('citus', 'replication', 'operations');

/**
 * What each folder may import besides itself; `lab` and `test` may import anything, and nothing but `test` imports them.
 * Folders on one level know nothing of each other, save that the audit reads what the simulator has written down.
 */
const allowedImports: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  ledger: ['kernel'],
  stream: ['kernel'],
  sql: ['kernel'],
  grafana: ['kernel'],
  api: ['kernel', 'ledger'],
  ingest: ['kernel'],
  cdc: ['kernel', 'stream'],
  notifications: ['kernel', 'stream'],
  payments: ['kernel', 'ledger'],
  runtime: deployables,
  simulator: system,
  audit: system.concat('simulator'),
  citus: instruments,
  replication: instruments,
  operations: instruments,
  benchmarks: tools,
  drills: tools,
};

/** Every production file imports its own folder and what lies below it: see `allowedImports`. */
export const dependencyDirection: Rule = (files) =>
  code(files)
    .filter((file) => !isTest(file.path))
    .flatMap((file) => {
      const folder = topFolder(file.path);
      const allowed = allowedImports[folder] ?? (folder === 'lab' ? Object.keys(allowedImports) : undefined);
      if (!allowed && !isConfiguration(file.path)) return [`${file.path}: ${folder}/ has no place in the directions`];
      return importsOf(file).flatMap(({ specifier, line }) => {
        const target = targetOf(file, specifier);
        if (target === undefined || topFolder(target) === folder) return [];
        if (!allowed || allowed.includes(topFolder(target))) return [];
        return [`${file.path}:${line}: ${folder} must not import ${target}`];
      });
    });

/** Configuration of tools at the root, as `vitest.config.ts`. */
function isConfiguration(name: string): boolean {
  return /^[^/]+\.config\.ts$/.test(name);
}

/** An import that names no file would only fail when that line runs. */
export const importsExist: Rule = (files) => {
  const known = new Set(files.map((file) => file.path));
  return code(files).flatMap((file) =>
    importsOf(file).flatMap(({ specifier, line }) => {
      const target = targetOf(file, specifier);
      return target === undefined || known.has(target) ? [] : [`${file.path}:${line}: ${target} does not exist`];
    }),
  );
};

/** Packages that only tests need are not installed where the services run. */
export function declaredPackages(manifest: {
  dependencies?: object;
  optionalDependencies?: object;
  devDependencies?: object;
}): Rule {
  const runtime = new Set(Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }));
  const development = new Set(Object.keys(manifest.devDependencies ?? {}));
  return (files) =>
    code(files).flatMap((file) =>
      importsOf(file).flatMap(({ specifier, line }) => {
        if (specifier.startsWith('.') || specifier.startsWith('node:')) return [];
        const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
        if (runtime.has(name) || (runsInACheckoutOnly(file.path) && development.has(name))) return [];
        const why = development.has(name) ? 'is a development dependency' : 'is not in package.json';
        return [`${file.path}:${line}: the package ${name} ${why}`];
      }),
    );
}

/** Settings enter through `kernel/config`, which validates them; everything else is handed its values. */
export const environmentReadInOnePlace: Rule = (files) =>
  code(files)
    .filter((file) => !isTest(file.path) && !file.path.startsWith('kernel/config/'))
    .flatMap((file) =>
      linesMatching(
        withoutComments(file.text),
        /process\.env\b|import\s*\{[^}]*\benv\b[^}]*\}\s*from 'node:process'/,
      ).map((line) => `${file.path}:${line}: reads the environment; take a value from kernel/config`),
    );

/**
 * Importing a file must do nothing: no connection, no waiting, no variable that every importer shares. Programs
 * (`main.ts`, and files with an `import.meta.main` block) may run at their end. A comment above such a line that says
 * `State at import because …` makes an exception.
 */
export const noWorkAtImport: Rule = (files) =>
  code(files)
    .filter((file) => !isTest(file.path) && path.posix.basename(file.path) !== 'main.ts' && file.path.endsWith('.ts'))
    .filter((file) => !/^[^/]+\.ts$/.test(file.path) && !file.text.includes('import.meta.main'))
    .flatMap((file) =>
      linesMatching(
        withoutComments(file.text),
        /^(?:export )?(?:let |var |await |const \w+(?:: [^=]+)? = (?:await |new (?:Pool|Client|Registry|Server|EventEmitter|Agent)\b|(?:create|start|open|connect|listen)[A-Z]?\w*\())/,
      )
        .filter((line) => !file.text.split('\n')[line - 2]?.startsWith('// State at import because '))
        .map(
          (line) => `${file.path}:${line}: works or keeps state at import; construct it in main.ts and hand it over`,
        ),
    );

const construction =
  /(?<![.\w]|function )(?:create(?:Pool|Metrics|Logger|ReadRouter)|processEnvironment|load[A-Z]\w*Config|listen)\(/;

/** Services take what they need; their `main.ts` is the one place that makes pools, metrics, loggers and servers. */
export const constructionInMain: Rule = (files) =>
  services(files)
    .filter((file) => path.posix.basename(file.path) !== 'main.ts')
    .flatMap((file) =>
      linesMatching(withoutComments(file.text), construction).map(
        (line) => `${file.path}:${line}: constructs; let main.ts do it and hand it over`,
      ),
    );

const vagueFolder = /^(utils?|common|helpers?|types|shared|misc)$/;

/** A folder is named after what it holds. */
export const foldersAreNamed: Rule = (files) => {
  const folders = new Set(files.map((file) => path.posix.dirname(file.path)));
  return [...folders]
    .filter((folder) => folder.split('/').some((part) => vagueFolder.test(part)))
    .map((folder) => `${folder}/: name the folder after what it holds`);
};

const maxLines = 300;

/** Dumps of schemas, and the types of their rows. */
function isGenerated(name: string): boolean {
  return name.startsWith('sql/dumps/') || name === 'kernel/postgres/schema.ts';
}

/** Longer files are possible, with a reason that a reader finds. */
export const filesStayShort: Rule = (files) =>
  files
    .filter((file) => /\.(ts|js|sql|sh)$/.test(file.path) && !isGenerated(file.path))
    .filter((file) => lineCount(file.text) > maxLines && !/Longer than 300 lines because \w+/.test(file.text))
    .map((file) => `${file.path}: ${lineCount(file.text)} lines and no comment "Longer than 300 lines because …"`);

/** One `.only` silently switches all other tests off. */
export const noExclusiveTests: Rule = (files) =>
  code(files)
    .filter((file) => /\.test\.ts$/.test(file.path))
    .flatMap((file) =>
      linesMatching(
        withoutComments(file.text),
        /^\s*(?:test|it|describe|suite|bench)(?:\.\w+(?:\([^)]*\))?)*\.only\b/,
      ).map((line) => `${file.path}:${line}: .only switches the other tests off`),
    );

/** A skip depends on the machine and names its reason: see test/skip.ts. */
export const noSilentSkips: Rule = (files) =>
  code(files)
    .filter((file) => /\.test\.ts$/.test(file.path))
    .flatMap((file) =>
      linesMatching(withoutComments(file.text), /^\s*(?:test|it|describe|suite)(?:\.\w+)*\.(?:skip|todo|fails)\(/).map(
        (line) => `${file.path}:${line}: use describeIf of test/skip.ts, which announces the skip with its reason`,
      ),
    );

const machinePath = /(?<![\w.:/-])(?:\/work\/|\/root\/|\/home\/\w|\/Users\/\w|[A-Z]:\\Users\\)/;

/** What works in one person's folder only. */
export const noMachinePaths: Rule = (files) =>
  files.flatMap((file) =>
    linesMatching(file.text, machinePath).map((line) => `${file.path}:${line}: path of one machine`),
  );

/** Every migration says what changes, why, and which lock it takes. */
export const migrationsExplainThemselves: Rule = (files) =>
  files
    .filter((file) => /^sql\/(base|topologies\/\w+)\/.+\.sql$/.test(file.path))
    .flatMap((file) =>
      ['What', 'Why', 'Lock']
        .filter((label) => !new RegExp(`^-- ${label}: \\S`, 'm').test(file.text))
        .map((label) => `${file.path}: no comment "-- ${label}: …"`),
    );

/** What runs in production. */
function services(files: SourceFile[]): SourceFile[] {
  return code(files).filter(
    (file) => /^(?:kernel|ledger|stream|api|ingest|cdc|notifications)\//.test(file.path) && !isTest(file.path),
  );
}

/** Tests, and the sources from which dashboards are generated and committed: no service and no command loads them. */
function runsInACheckoutOnly(name: string): boolean {
  return isTest(name) || name.startsWith('grafana/');
}
