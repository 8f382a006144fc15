import { Command } from 'commander';
import { UsageError } from '../runtime/usage-error.ts';

/**
 * What is said of a name that is none of those there are.
 * @param kind As in `topology`.
 */
export function noSuch(kind: string, wrong: string, names: readonly string[]): UsageError {
  const meant = suggestion(wrong, names);
  return new UsageError(`There is no ${kind} ${wrong}.${meant ? ` ${meant}` : ''} Choose from ${names.join(', ')}.`);
}

/** The suggestion that commander makes for a command, as in `Did you mean plain?`; undefined where none is near. */
function suggestion(wrong: string, names: readonly string[]): string | undefined {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  for (const name of names) program.command(name);
  try {
    program.parse([wrong], { from: 'user' });
  } catch (error) {
    return /\((Did you mean .*\?)\)/.exec(String(error))?.[1];
  }
  return undefined;
}
