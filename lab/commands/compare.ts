import type { Command } from 'commander';
import { topologyScenarios } from '../../benchmarks/scenarios/registry.ts';
import { capabilities, topologyNames } from '../../kernel/topology.ts';
import { decimal, list, wholeNumber } from '../arguments.ts';
import type { CompareFlags } from '../compare/command.ts';

export function register(program: Command): void {
  // Those with most servers last: they are what a machine lacks first.
  const bySize = topologyNames.toSorted((a, b) => capabilities(a).workers - capabilities(b).workers);
  const tour = topologyScenarios.filter(({ inTour }) => inTour).map(({ name }) => name);
  program
    .command('compare')
    .summary('compare topologies in interleaved, audited rounds')
    .description(
      'Boots one system for each topology with the same memory, runs the scenarios in interleaved rounds from the same ' +
        'seed, audits the data, and stores one result document. Exit status 1 when a run has to be discarded.',
    )
    .option('--quick', 'three rounds of a quarter of a minute for each topology, on small data: three to four minutes')
    .option('--topologies <list>', 'which, by commas', list, bySize)
    .option('--scenarios <list>', 'which, by commas', list, tour)
    .option('--rounds <n>', 'rounds of each topology, at least 3 (5, with --quick 3)', wholeNumber(3))
    .option(
      '--scale <x>',
      'length of the load and size of the data, relative to --quick (3, with --quick 1)',
      decimal(0.01, 1_000),
    )
    .option('--seed <n>', 'of the workload', wholeNumber(1), 1)
    .option('--baseline <run>', 'an earlier run: lists what became worse since')
    .option('--repeat <n>', 'so many comparisons one after the other, and how far apart they lie', wholeNumber(1), 1)
    .option('--json', 'the result document on stdout')
    .addHelpText(
      'after',
      `
Examples:
  $ lab compare --quick
  $ lab compare --topologies plain,partitioned --rounds 7 --scale 4
  $ lab compare --quick --baseline 20260131T120000Z      what became worse since that run
  $ lab compare --repeat 3                               how far apart whole runs lie
  $ lab compare --quick --json > result.json`,
    )
    .action(async (flags: CompareFlags) => {
      const { compareCommand } = await import('../compare/command.ts');
      await compareCommand(flags);
    });
}
