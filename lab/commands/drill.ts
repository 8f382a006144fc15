import { type Command, Option } from 'commander';
import { defaultTopology } from '../../kernel/topology.ts';
import { list, maxReplicas, wholeNumber } from '../arguments.ts';
import type { FailoverFlags, KillFlags, PaymentsDrillFlags, PitrFlags } from '../drill/flags.ts';

export function register(program: Command): void {
  const drill = program
    .command('drill')
    .summary('break a system on purpose, and prove that it recovers')
    .description(
      'Each drill starts a system of its own, breaks it under load, audits the data and cleans up. Seed, schedule, ' +
        'history and the client’s record stay in results/drills. Exit status 1 when something was lost or did not recover.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ lab drill failover --sync                     20 promotions under load with synchronous replicas
  $ lab drill failover --promotions 5 --seed 7    asynchronous replicas: what is lost is counted
  $ lab drill kill --topology replicated --sync   every part in turn, 50 times; the supervisor starts it again
  $ lab drill payments                            5,000 payments, 20 % of answers fail, 30 kills of the worker
  $ lab drill pitr                                back to the moment before a mistake`,
    );
  const seed = () =>
    new Option('--seed <n>', 'the same seed plans the same drill').argParser(wholeNumber(0)).default(1);
  const postgres = () =>
    new Option('--postgres <which>', 'whose server').choices(['embedded', 'installed']).default('embedded');
  const json = () => new Option('--json', 'one JSON document on stdout');

  drill
    .command('failover')
    .summary('lose the primary, promote a replica, fence the old primary, rebuild it')
    .option('--sync', 'commits wait for a replica: then nothing acknowledged may be lost')
    .option('--promotions <n>', 'how often', wholeNumber(1), 20)
    .option('--replicas <n>', 'replicas beside the primary', wholeNumber(1, maxReplicas), 2)
    .option('--rate <n>', 'webhooks a second', wholeNumber(1, 100_000), 200)
    .addOption(seed())
    .addOption(postgres())
    .addOption(json())
    .action(async (flags: FailoverFlags) => {
      const { failover } = await import('../drill/failover.ts');
      await failover(flags);
    });

  registerKill(drill, [seed(), json()]);

  registerPayments(drill, json());

  drill
    .command('pitr')
    .summary('restore a base backup and the archived WAL to the moment before a mistake')
    .option('--webhooks <n>', 'before, during and after the backup, each', wholeNumber(1), 2_000)
    .addOption(seed())
    .addOption(postgres())
    .addOption(json())
    .action(async (flags: PitrFlags) => {
      const { pitr } = await import('../drill/pitr.ts');
      await pitr(flags);
    });
}

function registerPayments(drill: Command, json: Option): void {
  drill
    .command('payments')
    .summary('payments through providers that fail, with a worker that is killed again and again')
    .option('--topology <name>', 'of the system', defaultTopology)
    .option('--payments <n>', 'how many', wholeNumber(30), 5_000)
    .option('--kills <n>', 'kill -9 of the payment worker', wholeNumber(0), 30)
    .option('--faults <percent>', 'share of the providers’ answers that fail', wholeNumber(0, 90), 20)
    .addOption(json)
    .action(async (flags: PaymentsDrillFlags) => {
      const { payments } = await import('../drill/payments.ts');
      await payments(flags);
    });
}

function registerKill(drill: Command, common: readonly Option[]): void {
  const kill = drill
    .command('kill')
    .summary('kill -9 of every part in turn, under load: the supervisor starts each again')
    .option('--topology <name>', 'of the system that is broken', defaultTopology)
    .addOption(new Option('--mode <mode>', 'how webhooks arrive').choices(['sync', 'kafka']).default('sync'))
    .addOption(
      new Option('--cdc <engine>', 'what carries events to ClickHouse (native where ClickHouse runs here)').choices([
        'native',
        'debezium',
        'off',
      ]),
    )
    .option('--kills <n>', 'how many, of one part after the other', wholeNumber(1), 50)
    .option('--parts <names>', 'only of these, with commas between them', list)
    .option('--replicas <n>', 'streaming replicas', wholeNumber(0, maxReplicas))
    .option('--sync', 'commits wait for a replica')
    .option('--prometheus', 'with Prometheus and its exporters, which are killed too')
    .option('--rate <n>', 'webhooks a second', wholeNumber(1, 100_000), 400);
  for (const option of common) kill.addOption(option);
  kill.action(async (flags: KillFlags) => {
    const run = await import('../drill/kill.ts');
    await run.kill(flags);
  });
}
