import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { makeCached } from '../cache-directory.ts';
import { exists } from '../exists.ts';
import type { Java } from './java.ts';

export interface ClassArchiveOptions {
  java: Java;
  /** Directory of jar files: the archive is of their classes. */
  libraries: string;
  /** Programs of one name share an archive. */
  name: string;
  /** Where a program that records writes its archive when it ends: its user's own directory. */
  directory: string;
}

/** How a program starts with its classes read and verified already, and how the archive for that is made. */
export interface ClassArchive {
  /** For a program that only uses the archive; empty while there is none. */
  readonly use: readonly string[];
  /** For a program that records an archive while there is none. */
  readonly useOrRecord: readonly string[];
  /** Keeps what a program has recorded that has ended by itself, for all later starts. */
  keep(how: string): Promise<void>;
}

/**
 * Java's class data sharing, which halves the processor time of a start. The first program that is stopped in order
 * writes the archive, with all classes that it has met; Java leaves an archive alone that does not fit.
 */
export async function openClassArchive(options: ClassArchiveOptions): Promise<ClassArchive> {
  const { java, libraries, name, directory } = options;
  const cached = `${libraries}-java-${java.version}-${name}`;
  const file = path.join(cached, 'classes.jsa');
  const recorded = path.join(directory, 'classes.jsa');
  // What it says of single classes that it leaves out is no concern of the program's log.
  const quiet = ['-Xlog:cds=off', '-Xlog:cds+dynamic=off'];
  const use = (await exists(file)) ? [`-XX:SharedArchiveFile=${file}`, ...quiet] : [];
  return {
    use,
    useOrRecord: use.length > 0 ? use : [`-XX:ArchiveClassesAtExit=${recorded}`, ...quiet],
    keep: async (how) => {
      // A program that was killed may have been in the middle of writing.
      if (how === 'signal SIGKILL' || !(await exists(recorded))) return;
      const copy = (partial: string): Promise<void> => copyFile(recorded, path.join(partial, 'classes.jsa'));
      // Without it later starts are slower, as on a full disk: no reason for a stop to fail.
      await makeCached(cached, copy).catch(() => {});
    },
  };
}
