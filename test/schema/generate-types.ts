import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { startPostgres } from '../../runtime/native/postgres.ts';
import { createRunDirectory } from '../../runtime/native/run-directory.ts';
import { migrate } from '../../sql/migrate.ts';

/** Arguments of kysely-codegen: amounts and sequences are bigint, and tables of extensions and migrations stay out. */
export const codegenArguments = (dsn: string): string[] => [
  '--dialect',
  'postgres',
  '--url',
  dsn,
  '--default-schema',
  'public',
  '--include-pattern',
  'public.*',
  '--exclude-pattern',
  'public.schema_migrations',
  '--type-mapping',
  '{"int8":"bigint","interval":"string"}',
  '--out-file',
  'kernel/postgres/schema.ts',
];

/** Path of kysely-codegen's program, without its name in the shell's search path. */
export function codegenProgram(): string {
  return createRequire(import.meta.url).resolve('kysely-codegen/dist/cli/bin.js');
}

// The partitioned schema has every table: `plain` is the same without webhook_keys.
if (import.meta.main) {
  const directory = await createRunDirectory();
  try {
    const server = await startPostgres({ runDirectory: directory.path, name: 'types' });
    await migrate({ dsn: server.dsn(), topology: 'partitioned' });
    await rm('kernel/postgres/schema.ts', { force: true });
    const child = spawnSync(process.execPath, [codegenProgram(), ...codegenArguments(server.dsn())], {
      stdio: 'inherit',
    });
    process.exitCode = child.status ?? 1;
  } finally {
    await directory.close();
  }
}
