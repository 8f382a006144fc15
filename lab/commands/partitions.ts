import { Argument, type Command } from 'commander';
import { type PartitionInterval, partitionIntervals } from '../../kernel/topology.ts';
import { wholeNumber } from '../arguments.ts';
import type { ArchiveFlags, LockFlags, TargetFlags } from '../partitions/flags.ts';

export function register(program: Command): void {
  const partitions = program
    .command('partitions')
    .summary('list, maintain, rescue, archive and attach partitions')
    .description('Looks after the partitions of a system, with pg_partman and without.')
    .addHelpText(
      'after',
      `
Examples:
  $ lab partitions list                                     the newest system; status 1 when rows found no partition
  $ lab partitions maintain                                 premake and retention now
  $ lab partitions interval weekly                          new partitions are weeks; rows stay where they are
  $ lab partitions rescue                                   rows of default partitions into partitions of their own
  $ lab partitions archive order_events_p20260131           to Parquet, verified, then dropped
  $ lab partitions archive --older-than 30 --table outbox   all of these, before retention drops them
  $ lab partitions query --sql 'select kind, count() from archive group by kind' order_events_p20260131.parquet
  $ lab partitions attach order_events_p20260131.parquet    back into the table`,
    );
  const command = (name: string, summary: string) =>
    partitions
      .command(name)
      .description(summary)
      .option('--run <id>', 'the system, as `lab status` names it (the newest)')
      .option('--dsn <url>', 'another database, by its owner’s URL')
      .option('--json', 'one JSON document on stdout');
  const locking = (name: string, summary: string) =>
    command(name, summary).option(
      '--max-lock-ms <ms>',
      'longest time that a lock may hold up others',
      wholeNumber(20, 600_000),
      1_000,
    );

  command('list', 'Tables, partitions, bounds, size. Exit status 1 when rows lie in a default partition.')
    .option('--table <name>', 'one table only')
    .action(async (flags: TargetFlags & { table?: string }) => {
      const { list } = await import('../partitions/list.ts');
      await list(flags);
    });
  command('maintain', 'Makes the partitions of the coming days and drops expired ones.').action(
    async (flags: TargetFlags) => {
      const { maintain } = await import('../partitions/maintain.ts');
      await maintain(flags);
    },
  );
  registerInterval(command('interval', 'Makes partitions of days, weeks or months from now on, and lists them.'));
  locking('rescue', 'Moves the rows of default partitions into partitions of their own.').action(
    async (flags: LockFlags) => {
      const { rescue } = await import('../partitions/rescue.ts');
      await rescue(flags);
    },
  );
  registerArchive(
    locking('archive', 'Exports a partition to Parquet, verifies the file, detaches and drops the partition.'),
  );
  registerAttach(locking('attach', 'Puts an archived partition back.'));
  registerQuery(partitions);
}

function registerInterval(intervalCommand: Command): void {
  intervalCommand
    .addArgument(new Argument('<interval>', 'how long partitions are').choices([...partitionIntervals]))
    .action(async (wanted: PartitionInterval, flags: TargetFlags) => {
      const { interval } = await import('../partitions/interval.ts');
      await interval(wanted, flags);
    });
}

function registerAttach(attachCommand: Command): void {
  attachCommand
    .argument('<source>', 'a .parquet file of `archive`, or the name of a detached partition')
    .option('--force', 'even when the next maintenance drops it again')
    .action(async (source: string, flags: LockFlags & { force?: boolean }) => {
      const { attach } = await import('../partitions/attach.ts');
      await attach(source, flags);
    });
}

function registerArchive(archiveCommand: Command): void {
  archiveCommand
    .argument('[partition]', 'its name, as `lab partitions list` shows it')
    .option('--older-than <days>', 'instead of one: all that ended so many days ago', wholeNumber(0, 99_999))
    .option('--table <name>', 'with --older-than: of one table only')
    .option('--directory <path>', 'where the file goes (archives/ in the run’s directory)')
    .option('--keep', 'leave the detached table')
    .action(async (partition: string | undefined, flags: ArchiveFlags) => {
      const { archive } = await import('../partitions/archive.ts');
      await archive(partition, flags);
    });
}

function registerQuery(partitions: Command): void {
  partitions
    .command('query')
    .description('Queries archives with ClickHouse’s SQL; they stand in it as the table `archive`.')
    .argument('<file...>', 'files of `archive`')
    .requiredOption('--sql <query>', 'as in: select kind, count() from archive group by kind')
    .option('--json', 'one JSON document on stdout')
    .action(async (files: string[], flags: { sql: string; json?: boolean }) => {
      const { query } = await import('../partitions/query.ts');
      await query(files, flags);
    });
}
