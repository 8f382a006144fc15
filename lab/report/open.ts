import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { MissingPartError } from '../../runtime/native/missing-part.ts';

/**
 * Hands a file or URL to the desktop's default program.
 * @throws MissingPartError when there is nothing that could open it, as on a server.
 */
export async function openInBrowser(target: string): Promise<void> {
  const command = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const child = spawn(command, [target], { stdio: 'ignore', detached: true });
  try {
    await once(child, 'spawn');
  } catch {
    throw new MissingPartError(`${command}, to open a browser`, `open ${target} yourself`);
  }
  child.unref();
}
