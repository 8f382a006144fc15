import { Argument, type Command } from 'commander';
import { conversions } from '../../kernel/topology.ts';
import { decimal, wholeNumber } from '../arguments.ts';
import type { ConvertFlags } from '../convert/flags.ts';

export function register(program: Command): void {
  program
    .command('convert')
    .summary('convert a running system to another topology')
    .description(
      'Converts a plain database to partitioned tables, or a partitioned one to a Citus cluster, while it is in use: ' +
        'copies in batches, brings over what changes meanwhile, switches in one short transaction. Progress is stored in ' +
        'the database.',
    )
    .addArgument(new Argument('<topology>', 'what it becomes').choices(Object.values(conversions).map(({ to }) => to)))
    .option('--run <id>', 'the system to convert, as `lab status` names it (the newest)')
    .option('--dsn <url>', 'another database, by its owner’s URL; its services have to be restarted by hand')
    .option('--to <url>', 'citus, with --dsn: the coordinator of an empty cluster, by its owner’s URL')
    .option('--resume', 'go on where a former call ended')
    .option('--abort', 'undo a conversion that has not switched yet')
    .option('--finish', 'after --dsn: the services were restarted on the new tables, remove what is left of the old')
    .option('--batch-rows <n>', 'rows of one copy transaction', wholeNumber(1, 1_000_000), 5_000)
    .option('--duty <share>', 'share of the time in which the copy works', decimal(0.01, 1), 0.5)
    .option('--max-lock-ms <ms>', 'longest time that a lock may hold up others', wholeNumber(20, 600_000), 1_000)
    .option('--measure-ms <ms>', 'how long throughput is watched, before and after', wholeNumber(100, 600_000), 3_000)
    .option('--no-compare', 'skip the comparison of all rows before the switch')
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      `
Examples:
  $ lab convert partitioned                       the newest system, its API is restarted as partitioned
  $ lab convert partitioned --resume              after the command was killed
  $ lab convert partitioned --dsn postgresql://… --duty 0.2
  $ lab convert partitioned --dsn postgresql://… --finish
  $ lab convert citus                             starts a coordinator and two workers beside the newest system
  $ lab convert citus --dsn postgresql://… --to postgresql://…

Exit status 1 when it was refused, or a lock held up others for longer than --max-lock-ms.`,
    )
    .action(async (topology: string, flags: ConvertFlags) => {
      const { print, printJson } = await import('../output.ts');
      const { result, text } =
        topology === conversions.toCluster.to ? await toCitus(flags) : await toPartitioned(flags);
      if (flags.json) printJson(result);
      else print(text);
      if (result.longestLockMs > flags.maxLockMs) process.exitCode = 1;
    });
}

async function toPartitioned(flags: ConvertFlags) {
  const { convert } = await import('../convert/partitioned.ts');
  const { describeResult } = await import('../convert/text.ts');
  const result = await convert(flags);
  return { result, text: describeResult(result) };
}

async function toCitus(flags: ConvertFlags) {
  const { convertCitus } = await import('../convert/citus.ts');
  const { describeCitusResult } = await import('../convert/citus-text.ts');
  const result = await convertCitus(flags);
  return { result, text: describeCitusResult(result) };
}
