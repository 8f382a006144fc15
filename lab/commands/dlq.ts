import { type Command, Option } from 'commander';
import type { DlqFlags } from '../dlq/flags.ts';

export function register(program: Command): void {
  const dlq = program
    .command('dlq')
    .summary('messages that could not be applied')
    .description('Lists, shows and replays the dead letters of a system with Kafka.')
    .addHelpText(
      'after',
      `
Examples:
  $ lab dlq list                                     all of them, with the reasons
  $ lab dlq show webhooks.orders.dlq/0/3             one with its body
  $ lab dlq replay webhooks.orders.dlq/0/3           sends it back to its topic
  $ lab dlq replay --reason attempts_exhausted       all that failed too often, once the cause is gone`,
    );
  const run = new Option('--run <id>', 'the system, as `lab status` names it (the newest)');
  const reason = new Option('--reason <reason>', 'only with this reason, as in attempts_exhausted');
  const json = new Option('--json', 'one JSON document on stdout');

  dlq
    .command('list')
    .summary('all dead letters')
    .addOption(run)
    .addOption(reason)
    .option('--topic <name>', 'only of this topic, as in webhooks.orders')
    .addOption(json)
    .action(async (flags: DlqFlags) => {
      const { list } = await import('../dlq/list.ts');
      await list(flags);
    });
  dlq
    .command('show')
    .summary('one dead letter with its body and headers')
    .argument('<id>', 'as `lab dlq list` prints it')
    .addOption(run)
    .addOption(json)
    .action(async (id: string, flags: DlqFlags) => {
      const { show } = await import('../dlq/show.ts');
      await show(id, flags);
    });
  dlq
    .command('replay')
    .summary('send dead letters back to their topics')
    .argument('[id...]', 'as `lab dlq list` prints them')
    .option('--all', 'every one that was not replayed before')
    .addOption(reason)
    .addOption(run)
    .addOption(json)
    .action(async (ids: string[], flags: DlqFlags) => {
      const { replay } = await import('../dlq/replay.ts');
      await replay(ids, flags);
    });
}
