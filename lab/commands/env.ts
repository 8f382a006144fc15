import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('env')
    .summary('the secrets that docker compose asks for')
    .description(
      'Writes the passwords and secrets of the compose files to .env, readable for you only. What stands there stays; ' +
        'nothing is printed but the names of what was added.',
    )
    .option('--file <file>', 'another file, for docker compose --env-file')
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      '\nExamples:\n  $ lab env && docker compose --profile partitioned up -d --wait\n  $ lab env --file /run/user/1000/lab.env',
    )
    .action(async (flags: { file?: string; json?: boolean }) => {
      const { print, printJson } = await import('../output.ts');
      const { UsageError } = await import('../../runtime/usage-error.ts');
      const { resolve } = await import('node:path');
      const { environmentFile } = await import('../../runtime/docker/compose.ts');
      const { rememberCompose } = await import('../../runtime/docker/running.ts');
      const { writeSecrets } = await import('../../runtime/docker/secrets.ts');
      const file = flags.file === undefined ? environmentFile : resolve(flags.file);
      const added = await writeSecrets(file).catch(({ message }) => {
        throw new UsageError(`${file} can't be written: ${message}. Choose another with --file.`);
      });
      // From now on the other commands look for systems under compose.
      await rememberCompose();
      if (flags.json) printJson({ file, added });
      else print(added.length === 0 ? `${file} has them all.` : `${file}: added ${added.join(', ')}`);
    });
}
