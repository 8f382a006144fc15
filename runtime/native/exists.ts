import { access } from 'node:fs/promises';

/** Whether there is a file or a directory of this name that we can reach. */
export async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
