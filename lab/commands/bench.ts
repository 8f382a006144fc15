import { type Command, Option } from 'commander';
import { ownArmsScenarios, scenarios, toolsBeside, topologyScenarios } from '../../benchmarks/scenarios/registry.ts';
import { controlTopology } from '../../kernel/topology.ts';
import { decimal, wholeNumber } from '../arguments.ts';
import type { BenchFlags } from '../bench/command.ts';

export function register(program: Command): void {
  program
    .command('bench')
    .summary('run one scenario')
    .description(
      'Runs one scenario on one topology in several rounds, audits it, and stores the result document. ' +
        'Exit status 1 when the run does not count, or misses a target of its scenario.',
    )
    .argument('[scenario]', describeScenarios())
    .option('--all', `${listed('conjunction')} in turn`)
    .option('--topology <name>', `where (${describeTopologies()})`)
    .addOption(new Option('--against <tool>', 'hold ingest against another tool').choices(Object.keys(toolsBeside)))
    .addOption(new Option('--driver <name>', 'who sends the load').choices(['builtin', 'k6']).default('builtin'))
    .option('--rounds <n>', 'rounds (5: fewer give a range and no claim)', wholeNumber(1))
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
  $ lab bench transfers                                strategies for hot accounts, against pgbench
  $ lab bench reads                                    stale reads and off-load by routing policy
  $ lab bench timeline --scale 25                      five million events, as in the published case`,
    )
    .action(async (scenario: string | undefined, flags: BenchFlags) => {
      const { benchCommand } = await import('../bench/command.ts');
      await benchCommand(scenario, flags);
    });
}

function describeScenarios(): string {
  const others = ownArmsScenarios.map(({ name, arms }) => `${name} (${arms})`);
  return new Intl.ListFormat('en', { type: 'disjunction' }).format([listed('disjunction'), ...others]);
}

/** The scenarios whose arms are topologies. */
function listed(type: 'conjunction' | 'disjunction'): string {
  return new Intl.ListFormat('en-GB', { type }).format(topologyScenarios.map(({ name }) => name));
}

function describeTopologies(): string {
  const others = scenarios.filter(({ topology }) => topology !== controlTopology);
  return [controlTopology, ...others.map(({ name, topology }) => `${name}: ${topology}`)].join('; ');
}
