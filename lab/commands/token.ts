import { type Command, InvalidArgumentError, Option } from 'commander';
import { wholeNumber } from '../arguments.ts';
import type { TokenFlags } from '../token/flags.ts';

export function register(program: Command): void {
  program
    .command('token')
    .summary('an access token for the API')
    .description(
      'Prints an access token for the API of a running system, signed with the system’s own secret: for curl, for ' +
        'scripts, and for “Authorize” on the page of the API’s documentation.',
    )
    .addOption(
      new Option('--role <role>', 'what it may do').choices(['customer', 'operator', 'admin']).default('operator'),
    )
    .option('--user <id>', 'on whose behalf (lab-operator; --role customer needs one)', userId)
    .option('--lifetime <seconds>', 'how long it is valid', wholeNumber(1, 86_400), 3_600)
    .option('--run <id>', 'the system, as `lab status` names it (the newest)')
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      `
Examples:
  $ curl -H "Authorization: Bearer $(npx lab token)" http://127.0.0.1:3000/api/v1/orders
  $ lab token --role customer --user user_1          what a customer sees
  $ lab token --lifetime 60 --json                   token, principal and expiry`,
    )
    .action(async (flags: TokenFlags) => {
      const { tokenCommand } = await import('../token/token.ts');
      await tokenCommand(flags);
    });
}

function userId(text: string): string {
  if (/^[\x21-\x7e]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError('It has to be 1 to 64 printable characters without spaces.');
}
