import { type Command, InvalidArgumentError, Option } from 'commander';
import { days, decimal, wholeNumber } from '../arguments.ts';
import type { SendFlags } from '../send/flags.ts';

export function register(program: Command): void {
  program
    .command('send')
    .summary('send signed webhooks like a provider')
    .description(
      'The provider simulator: a seeded mix of new orders, updates and chargebacks with real signatures, duplicates and ' +
        'late events. Of Stripe and Adyen come guests, declined attempts, captures and refunds in part, and what else ' +
        'docs/guides/traffic.md lists. It repeats what was not answered, and records each acknowledgement on disk before it counts it.',
    )
    .option('--count <n>', 'webhooks to deliver', wholeNumber(1), 10_000)
    .option('--rate <n>', 'webhooks per second (as fast as --concurrency allows)', decimal(0.001, 1_000_000))
    // Deliveries and their keys stay for 90 days, and older ones would be dropped at once.
    .option('--since <days>', 'spread over past days, as in 30d, up to today: a history for partitions', days(88))
    .option('--seed <n>', 'the same seed plans the same traffic', wholeNumber(0), 1)
    .option('--duplicates <p>', 'share delivered twice', decimal(0, 0.5), 0.02)
    .option('--late <p>', 'share delivered after a newer event of the same order', decimal(0, 0.5), 0.01)
    .option('--contradictions <p>', 'share that names another user than its order', decimal(0, 0.5), 0)
    .addOption(
      new Option('--provider <name>', 'whose webhooks')
        .choices(['silvergate', 'stripe', 'adyen', 'mixed'])
        .default('silvergate'),
    )
    .option('--concurrency <n>', 'connections', wholeNumber(1, 10_000), 64)
    .option('--record <file>', 'where acknowledgements go (a new file in the run’s directory)')
    .option('--run <id>', 'the system to send to, as `lab status` names it (the newest)')
    .option('--url <url>', 'another API, with --secret and --record')
    .option('--secret <provider=secret>', 'signing secret for --url; may be repeated', collectSecret)
    .option('--token <token>', 'access token with which some orders are read back, for --url')
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      `
Examples:
  $ lab send                                         10,000 webhooks to the newest system
  $ lab send --rate 500 --count 30000 --seed 7       one minute at 500 a second
  $ lab send --provider mixed --duplicates 0.1       three signature schemes, many duplicates
  $ lab send --since 30d                             30 past days have their share of it
  $ lab send --url http://127.0.0.1:3000 --secret silvergate=whsec_… --record acks.jsonl

Exit status 1 when a webhook was refused or given up, or a read was older than its own write.`,
    )
    .action(async (flags: SendFlags) => {
      const { sendCommand } = await import('../send/send.ts');
      await sendCommand(flags);
    });
}

function collectSecret(text: string, before: Record<string, string> = {}): Record<string, string> {
  const match = /^(silvergate|stripe|adyen)=(.+)$/.exec(text);
  if (!match) throw new InvalidArgumentError('It has to look like silvergate=whsec_…');
  return { ...before, [match[1]!]: match[2]! };
}
