import { type Command, Option } from 'commander';
import { decimal, wholeNumber } from '../arguments.ts';

export interface BenchFlags {
  all?: boolean;
  topology?: string;
  against?: 'pgbench';
  driver: 'builtin' | 'k6';
  rounds?: number;
  scale: number;
  seed: number;
  save?: boolean;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command('bench')
    .summary('run one scenario')
    .description('Runs one scenario on one topology in several rounds, audits it, and stores the result document.')
    .argument(
      '[scenario]',
      'ingest, timeline or reads, freshness (both CDC engines), or acceptance (kafka and sync mode)',
    )
    .option('--all', 'ingest, timeline and reads in turn')
    .option('--topology <name>', 'where (plain; reads: replicated; freshness: partitioned)')
    .addOption(new Option('--against <tool>', 'hold ingest against another tool').choices(['pgbench']))
    .addOption(new Option('--driver <name>', 'who sends the load').choices(['builtin', 'k6']).default('builtin'))
    .option('--rounds <n>', 'rounds (3)', wholeNumber(1))
    .option('--scale <x>', 'length of the load and size of the data', decimal(0.01, 1_000), 1)
    .option('--seed <n>', 'of the workload', wholeNumber(1), 1)
    .option('--save', 'also write a page about it to docs/results')
    .option('--json', 'the result document on stdout')
    .addHelpText(
      'after',
      `
Examples:
  $ lab bench ingest --topology partitioned
  $ lab bench ingest --against pgbench --rounds 5      the same transaction from pgbench, turn by turn
  $ lab bench acceptance                               what kafka mode accepts, against sync mode
  $ lab bench reads                                    stale reads and off-load by routing policy
  $ lab bench timeline --scale 25                      five million events, as in the published case`,
    )
    .action(async (scenario: string | undefined, flags: BenchFlags) => {
      const { benchCommand } = await import('../bench/command.ts');
      await benchCommand(scenario, flags);
    });
}
