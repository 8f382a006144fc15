import { type Command, Option } from 'commander';
import type { QuarantineFlags } from '../quarantine/flags.ts';

export function register(program: Command): void {
  const quarantine = program
    .command('quarantine')
    .summary('webhooks that wait for a decision')
    .description(
      'Webhooks that were acknowledged and contradict what is known, and those whose order has not come for an hour.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ lab quarantine list                                         what waits, and why
  $ lab quarantine show "stripe/evt_1/3f2a9c01"                 one as it was understood
  $ lab quarantine release "stripe/evt_1/3f2a9c01"              it counts, whatever it contradicts
  $ lab quarantine release --drop "stripe/evt_1/3f2a9c01" --note "test event"`,
    );
  const run = new Option('--run <id>', 'the system, as `lab status` names it (the newest)');
  const json = new Option('--json', 'one JSON document on stdout');
  quarantine
    .command('list')
    .summary('what waits for a decision')
    .addOption(run)
    .addOption(json)
    .action(async (flags: QuarantineFlags) => {
      const { list } = await import('../quarantine/list.ts');
      await list(flags);
    });
  quarantine
    .command('show')
    .summary('one webhook as it was understood')
    .argument('<id>', 'as `lab quarantine list` prints it')
    .addOption(run)
    .addOption(json)
    .action(async (id: string, flags: QuarantineFlags) => {
      const { show } = await import('../quarantine/list.ts');
      await show(id, flags);
    });
  quarantine
    .command('release')
    .summary('let one have its effect, or drop it')
    .argument('<id>', 'as `lab quarantine list` prints it')
    .option('--drop', 'it shall have no effect')
    .option('--note <text>', 'why; it is kept with the decision')
    .addOption(run)
    .addOption(json)
    .action(async (id: string, flags: QuarantineFlags) => {
      const { release } = await import('../quarantine/release.ts');
      await release(id, flags);
    });
}
