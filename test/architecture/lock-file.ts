import type { Violation } from './source.ts';

interface LockEntry {
  version?: string;
  os?: string[];
  cpu?: string[];
  optional?: boolean;
  optionalDependencies?: Record<string, string>;
}

/**
 * The lock file has to install on every platform. npm leaves out the packages of other platforms when the registry that
 * it asked does not serve them, and `npm ci` then refuses the whole file. An entry needs version, os, cpu and optional.
 */
export function lockIsComplete(packages: Readonly<Record<string, LockEntry>>): Violation[] {
  return Object.entries(packages).flatMap(([name, entry]) =>
    Object.entries(entry.optionalDependencies ?? {})
      .filter(([wanted]) => !packages[`node_modules/${wanted}`] && !packages[`${name}/node_modules/${wanted}`])
      .map(([wanted, version]) => `package-lock.json: ${name} has no entry for its optional ${wanted} ${version}`),
  );
}
