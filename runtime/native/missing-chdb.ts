import { createRequire } from 'node:module';

export const chdbRemedy = 'npm ci --include=optional (on Linux with glibc, or macOS)';

/** What of chdb is missing here, or undefined. Loads nothing: the library takes half a second and 500 MB. */
export function missingChdb(): string | undefined {
  const systems: Record<string, string> = {
    'linux-x64': '@chdb/lib-linux-x64-gnu',
    'linux-arm64': '@chdb/lib-linux-arm64-gnu',
    'darwin-x64': '@chdb/lib-darwin-x64',
    'darwin-arm64': '@chdb/lib-darwin-arm64',
  };
  const library = systems[`${process.platform}-${process.arch}`];
  if (!library) return `chdb (ClickHouse in process) for ${process.platform} on ${process.arch}`;
  const require = createRequire(import.meta.url);
  try {
    createRequire(require.resolve('chdb')).resolve(library);
    return undefined;
  } catch {
    return 'the optional package chdb (ClickHouse in process)';
  }
}
