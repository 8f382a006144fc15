import type { Command } from 'commander';
import { wholeNumber } from '../arguments.ts';
import type { CheckFlags } from '../check/command.ts';

export function register(program: Command): void {
  program
    .command('check')
    .summary('look over a database of your own')
    .description(
      'Looks for what loses, doubles or delays payments in a PostgreSQL database: settings, inbox, outbox, slots, ' +
        'replicas, partitions, indexes, open transactions, types. Reads only, and says for each finding what mends it. ' +
        'Exit status 1 when one is of medium severity or more.',
    )
    .option('--dsn <url>', 'the database, as a role with pg_monitor (the newest system)')
    .option('--run <id>', 'a system of the lab, as `lab status` names it')
    .option('--inbox <table...>', 'tables that remember what was received (those with a telling name)')
    .option('--outbox <table...>', 'tables of events to be published (those with a telling name)')
    .option('--write', 'also measure commits, in a schema lab_check that is dropped again')
    .option('--patience <s>', 'how long a transaction may be open and do nothing', wholeNumber(0, 86_400), 60)
    .option('--statement-timeout <s>', 'a check that takes longer is given up', wholeNumber(1, 3_600), 30)
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      `
Examples:
  $ lab check --dsn postgresql://monitor@host/payments
  $ lab check --dsn postgresql://monitor@host/payments --inbox billing.seen_messages --json`,
    )
    .action(async (flags: CheckFlags) => {
      const { checkCommand } = await import('../check/command.ts');
      await checkCommand(flags);
    });
}
