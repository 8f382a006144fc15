import { execFile } from 'node:child_process';
import { access, readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { shardingExtension } from '../../kernel/topology.ts';
import { embeddedInstallation } from './embedded.ts';
import { listInstalled } from './installed.ts';
import { findProgram } from './kafka/programs.ts';
import { chdbRemedy, missingChdb } from './missing-chdb.ts';
import { citusRemedy } from './missing-citus.ts';
import { findPgbouncer } from './pgbouncer-installation.ts';
import { findPostgresExporter, findPrometheus } from './prometheus-installation.ts';
import { findServerUser } from './server-user.ts';

const run = promisify(execFile);

export interface Part {
  name: string;
  /** Without a required part the lab starts nothing. */
  required: boolean;
  /** As in `18.4`, or `yes`; null when it is missing. */
  found: string | null;
  /** What it is for, or would add. */
  adds: string;
  /** The command that installs it, or its package's name. */
  install: string;
}

/** Looks for every part that the lab can use. Asks programs for their versions; starts nothing. */
export async function findParts(): Promise<Part[]> {
  const programs = findPrograms();
  const server = await findServerUser().catch(() => undefined);
  const [embedded, installed] = await Promise.all([
    embeddedInstallation(server).catch(() => undefined),
    listInstalled(),
  ]);
  const [newest] = installed;
  const partman = installed.find(({ extensions }) => extensions.includes('pg_partman'));
  const citus = installed.find(({ extensions }) => extensions.includes(shardingExtension));
  const part = (name: string, found: string | null | undefined, adds: string, install: string, required = false) => ({
    name,
    required,
    found: found ?? null,
    adds,
    install,
  });
  const [pgbench, [java, maven, docker, pgbouncer, prometheus, exporter]] = await Promise.all([
    firstVersion([['pgbench', '--version'], ...installed.map((one) => [`${one.binDirectory}/pgbench`, '--version'])]),
    programs,
  ]);
  return [
    part('Node', process.versions.node, 'runs everything', 'npm ci (brings Node 24 along)', true),
    part('embedded PostgreSQL', embedded?.version, 'plain, partitioned, replicated', 'npm ci', true),
    part('installed PostgreSQL', newest?.version, 'lab up … --postgres installed', 'apt install postgresql'),
    part(
      'pg_partman',
      partman && `with PostgreSQL ${partman.version}`,
      'partitions made and dropped by pg_partman',
      'apt install postgresql-15-partman (number of your PostgreSQL)',
    ),
    part('Citus', citus && `with PostgreSQL ${citus.version}`, 'citus: a coordinator and two workers', citusRemedy),
    part('pgbench', pgbench, 'lab bench ingest --against pgbench', 'apt install postgresql-contrib'),
    part('ClickHouse (chdb)', missingChdb() ? null : 'yes', 'analytics: lab up … --cdc, I6 of lab audit', chdbRemedy),
    part('Java', java, 'Kafka and Debezium', 'apt install openjdk-17-jre-headless'),
    part('Maven', maven, 'fetches Kafka and Debezium, once', 'apt install maven'),
    part(
      'Docker',
      docker,
      'lab up … --runtime docker, and tests on official images',
      'https://docs.docker.com/engine/install, and start its daemon',
    ),
    part('pgbouncer', pgbouncer, 'lab up … --pgbouncer', 'apt install pgbouncer'),
    part('Prometheus', prometheus?.version, 'lab up … --prometheus, tests of the alerts', 'apt install prometheus'),
    part(
      'postgres_exporter',
      exporter?.version,
      'partitions, bloat, slots, replication in Prometheus',
      'apt install prometheus-postgres-exporter',
    ),
  ];
}

/** All at once, since each has to be started to tell its version. */
function findPrograms() {
  return Promise.all([
    firstVersion([['java', '-version']]),
    mavenVersion(),
    dockerVersion(),
    findPgbouncer().then((found) => found?.version),
    findPrometheus(),
    findPostgresExporter(),
  ]);
}

/** By the name of its library, where a package put it: Maven itself takes as long as all others together to tell. */
async function mavenVersion(): Promise<string | null> {
  const program = await findProgram('mvn');
  if (program === undefined) return null;
  const libraries = await readdir(path.join(await realpath(program), '../../lib')).catch((): string[] => []);
  return /^maven-core-(\d[\d.]*\d)\.jar$/m.exec(libraries.join('\n'))?.[1] ?? 'yes';
}

/** The client alone is not enough: the daemon has to answer. */
function dockerVersion(): Promise<string | null> {
  return firstVersion([['docker', 'version', '--format', '{{.Server.Version}}']]);
}

/** The first number with a dot that one of the programs prints about itself; null when none of them runs. */
async function firstVersion(commands: string[][]): Promise<string | null> {
  for (const [command, ...options] of commands) {
    try {
      if (command!.startsWith('/')) await access(command!);
      // Java prints its version on stderr.
      const { stdout, stderr } = await run(command!, options, { timeout: 10_000 });
      return /\d+(\.\d+)+/.exec(stdout || stderr)?.[0] ?? /\d+/.exec(stdout || stderr)?.[0] ?? 'yes';
    } catch {
      // Not this one.
    }
  }
  return null;
}
