import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * What is missing for a test on this image; undefined where nothing is. Nothing is ever pulled: a test must not depend
 * on a registry, nor fill somebody's disk unasked.
 */
export async function missingForImage(image: string): Promise<string | undefined> {
  try {
    await run('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: 10_000 });
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return absent ? 'Docker: it is not installed' : 'Docker: its daemon does not answer';
  }
  return run('docker', ['image', 'inspect', image], { timeout: 10_000 }).then(
    () => undefined,
    () => `the image ${image}: docker pull ${image}`,
  );
}
