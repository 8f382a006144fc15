import { type Command, Option } from 'commander';
import type { PaymentsFlags } from '../payments/flags.ts';

export function register(program: Command): void {
  const payments = program
    .command('payments')
    .summary('reconcile, rebuild and replay payments')
    .description('Compares payments with the providers and with their own events, and replays what was given up.')
    .addHelpText(
      'after',
      `
Examples:
  $ lab payments reconcile                   today, with the settlement files of both providers
  $ lab payments reconcile --day 2026-01-31
  $ lab payments rebuild                     every payment is what its events add up to
  $ lab payments dead                        commands that were given up after five attempts
  $ lab payments replay --all                makes them due again`,
    );
  const run = new Option('--run <id>', 'the system, as `lab status` names it (the newest)');
  const json = new Option('--json', 'one JSON document on stdout');

  payments
    .command('reconcile')
    .summary('compare a day with the providers’ settlement files')
    .option('--day <date>', 'UTC day, as in 2026-01-31 (today)')
    .addOption(run)
    .addOption(json)
    .action(async (flags: PaymentsFlags) => {
      const { reconcile } = await import('../payments/reconcile.ts');
      await reconcile(flags);
    });
  payments
    .command('rebuild')
    .summary('compare every payment with what its events add up to')
    .addOption(run)
    .addOption(json)
    .action(async (flags: PaymentsFlags) => {
      const { rebuild } = await import('../payments/rebuild.ts');
      await rebuild(flags);
    });
  payments
    .command('dead')
    .summary('commands that were given up')
    .addOption(run)
    .addOption(json)
    .action(async (flags: PaymentsFlags) => {
      const { dead } = await import('../payments/dead.ts');
      await dead(flags);
    });
  payments
    .command('replay')
    .summary('make commands due again that were given up')
    .argument('[id]', 'as `lab payments dead` prints it')
    .option('--all', 'every one')
    .addOption(run)
    .addOption(json)
    .action(async (id: string | undefined, flags: PaymentsFlags) => {
      const { replay } = await import('../payments/dead.ts');
      await replay(id, flags);
    });
}
