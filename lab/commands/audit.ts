import type { Command } from 'commander';
import { wholeNumber } from '../arguments.ts';
import type { AuditFlags } from '../audit/command.ts';

export function register(program: Command): void {
  program
    .command('audit')
    .summary('check the invariants of the data')
    .description(
      'Checks that nothing acknowledged was lost, doubled or reordered, and lists the ids that break a rule. ' +
        'Exit status 1 when one is broken, or could not be checked.',
    )
    .option('--record <file...>', 'what clients noted (the records in the run’s directory)')
    .option('--run <id>', 'the system to audit, as `lab status` names it (the newest)')
    .option('--dsn <url>', 'another database with the lab’s schema, with --topology')
    .option('--topology <name>', 'the topology of the database at --dsn')
    .option('--clickhouse <url>', 'the analytics to compare with (those of the system, where it has any)')
    .option('--statement-timeout <s>', 'what takes longer could not be checked', wholeNumber(1, 86_400), 300)
    .option('--deep', 'also derive every order and dispute from the bodies of its deliveries, by a model of its own')
    .option('--automatic-capture <account...>', 'for --deep: accounts at Adyen that capture without a request')
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      `
Examples:
  $ lab audit                                  the newest system, with every record that lab send left
  $ lab audit --record acks.jsonl --json
  $ lab audit --dsn postgresql://user@host/payments --topology plain`,
    )
    .action(async (flags: AuditFlags) => {
      const { auditCommand } = await import('../audit/command.ts');
      await auditCommand(flags);
    });
}
