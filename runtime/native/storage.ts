import { statfs } from 'node:fs/promises';

export interface Storage {
  directory: string;
  /** As in `ext4`; `unknown` where the platform's number for it is none of Linux's. */
  fileSystem: string;
  freeBytes: number;
  /** Whether the files live in memory: then fsync costs nothing, and a measured commit is too cheap. */
  inMemory: boolean;
}

/** Numbers of statfs(2), https://man7.org/linux/man-pages/man2/statfs.2.html */
const linuxNames: Readonly<Record<number, string>> = {
  61267: 'ext4',
  16914836: 'tmpfs',
  2240043254: 'ramfs',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  2035054128: 'overlayfs',
  801189825: 'zfs',
  26985: 'nfs',
};

/** What the directory lies on. */
export async function readStorage(directory: string): Promise<Storage> {
  const { type, bavail, bsize } = await statfs(directory);
  const fileSystem = (process.platform === 'linux' && linuxNames[type >>> 0]) || 'unknown';
  return { directory, fileSystem, freeBytes: bavail * bsize, inMemory: ['tmpfs', 'ramfs'].includes(fileSystem) };
}
