import { chown, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Child, startChild, terminateSteps } from '../child.ts';
import { openClassArchive } from './class-archive.ts';
import type { Java } from './java.ts';

export interface JvmOptions {
  java: Java;
  /** Directory of jar files. */
  libraries: string;
  runDirectory: string;
  name: string;
  mainClass: string;
  arguments: readonly string[];
  heapMb: number;
  /** Names the archive of its classes. */
  classes: string;
  /** Makes the archive where there is none: a start of the server itself, which meets all classes. */
  recordsClasses?: boolean;
  /** Options of the JVM beyond those that all programs get. */
  jvmOptions?: readonly string[];
  environment?: Record<string, string>;
  /** Names of classes or packages that log more, or less, than warnings. */
  logLevels?: Readonly<Record<string, string>>;
}

/**
 * Starts a Java program whose command line names the run, by which the run's guard finds it. The program is exec'ed
 * directly, without Kafka's shell scripts, so its pid is the child's.
 */
export async function startJvm(options: JvmOptions): Promise<Child> {
  const { java, libraries, runDirectory, name, mainClass, heapMb } = options;
  const logging = path.join(runDirectory, `${name}-log4j2.properties`);
  await writeFile(logging, loggingProperties(options.logLevels ?? {}), { mode: 0o644 });
  const directory = await ownDirectory({ runDirectory, name: `${name}-tmp`, java });
  const archive = await openClassArchive({ java, libraries, name: options.classes, directory });
  return startChild({
    command: java.program,
    arguments: [
      `-Dlab.run=--run-directory=${runDirectory}`,
      `-Xms${Math.min(heapMb, 128)}m`,
      `-Xmx${heapMb}m`,
      '-XX:+UseSerialGC',
      '-XX:+ExitOnOutOfMemoryError',
      ...(options.jvmOptions ?? []),
      ...(options.recordsClasses ? archive.useOrRecord : archive.use),
      // Its data for other tools lies in a directory that all users of the machine share.
      '-XX:-UsePerfData',
      `-Dlog4j2.configurationFile=${logging}`,
      '-Djava.awt.headless=true',
      '-Duser.timezone=UTC',
      '-Dfile.encoding=UTF-8',
      `-Djava.io.tmpdir=${directory}`,
      '-cp',
      path.join(libraries, '*'),
      mainClass,
      ...options.arguments,
    ],
    environment: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC', ...options.environment },
    workingDirectory: runDirectory,
    logFile: logFileOf(options),
    user: java.user,
    ...(options.recordsClasses && archive.use.length === 0 && { onStopped: archive.keep }),
  });
}

/**
 * A program that was stopped (SIGSTOP) has to run again to hear that it is to end. Then it may have an archive of its
 * classes to write.
 */
export const jvmStopSteps = [{ signal: 'SIGCONT', timeoutMs: 0 }, ...terminateSteps(20_000)] as const;

export function logFileOf({ runDirectory, name }: { runDirectory: string; name: string }): string {
  return path.join(runDirectory, `${name}.log`);
}

/** A directory below the run's that belongs to the server's user alone. */
export async function ownDirectory(options: { runDirectory: string; name: string; java: Java }): Promise<string> {
  const directory = path.join(options.runDirectory, options.name);
  await mkdir(directory, { mode: 0o700, recursive: true });
  const { user } = options.java;
  if (user) await chown(directory, user.uid, user.gid);
  return directory;
}

/** A `.properties` file that the server's user can read. */
export async function writeProperties(file: string, properties: Readonly<Record<string, string | number | boolean>>) {
  const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${escaped(String(value))}`);
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o644 });
}

function loggingProperties(levels: Readonly<Record<string, string>>): string {
  return [
    'appender.out.type=Console',
    'appender.out.name=out',
    'appender.out.layout.type=PatternLayout',
    'appender.out.layout.pattern=%d{ISO8601} %p %m (%c{1})%n',
    'rootLogger.level=warn',
    'rootLogger.appenderRef.out.ref=out',
    ...Object.entries(levels).flatMap(([name, level], index) => [
      `logger.l${index}.name=${name}`,
      `logger.l${index}.level=${level}`,
    ]),
    '',
  ].join('\n');
}
