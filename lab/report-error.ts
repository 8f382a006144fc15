import { processEnvironment } from '../kernel/config/environment.ts';
import { MissingPartError } from '../runtime/native/missing-part.ts';
import { UsageError } from '../runtime/usage-error.ts';

/** Says what went wrong on stderr. @returns the exit status for it. */
export function reportError(error: unknown): 1 | 2 | 3 {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`lab: ${message}${error instanceof UsageError ? '' : placeToChange(message)}\n`);
  if (error instanceof MissingPartError) return 3;
  return error instanceof UsageError ? 2 : 1;
}

/** In the words of Node, and of the programs whose logs an error quotes. */
const unwritable = /\b(ENOSPC|EDQUOT|EROFS)\b|No space left on device|Disk quota exceeded|Read-only file system/;

/** A disk that is full or read-only is mostly the one on which the systems lie, and the operator can choose another. */
function placeToChange(message: string): string {
  if (!unwritable.test(message) || message.includes('LAB_HOME')) return '';
  const { LAB_HOME: home } = processEnvironment();
  return `\nSystems lie in ${home || 'the directory for temporary files'}: set LAB_HOME to a disk with room to write.`;
}
