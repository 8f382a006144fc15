import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { createDatabase } from '../postgres/database.ts';
import { codegenArguments, codegenProgram } from './generate-types.ts';

test('kernel/postgres/schema.ts is what npm run generate:types would write', async () => {
  const database = await createDatabase('partitioned');
  const child = spawnSync(process.execPath, [codegenProgram(), ...codegenArguments(database.dsn), '--verify'], {
    encoding: 'utf8',
  });
  await database.drop();
  expect({ status: child.status, output: child.stdout + child.stderr }).toMatchObject({ status: 0 });
});
