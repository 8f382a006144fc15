import { statfs } from 'node:fs/promises';

/** Free bytes at a directory of the server; null where that can't be known. */
export type FreeSpaceMeter = (dataDirectory: string) => Promise<number | null>;

/** Looks where the database's server runs on this machine; of another one nothing is known. */
export function freeSpaceMeter(dsn: string): FreeSpaceMeter {
  return isLocal(dsn) ? measureFree : async () => null;
}

/** Behind another user's rights nothing is known either. */
async function measureFree(directory: string): Promise<number | null> {
  return statfs(directory).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => null,
  );
}

function isLocal(dsn: string): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\]|)$/.test(new URL(dsn).hostname);
}
