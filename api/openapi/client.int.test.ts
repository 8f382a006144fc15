import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { providerDocuments } from '../../kernel/providers/documents.ts';
import { type RunningApi, startApi } from '../../test/api/running-api.ts';
import { exampleSecrets, signExample } from '../../test/api/signed-example.ts';

/* What a user of the document does: generates a client, compiles a program against it, and runs it. */

const run = promisify(execFile);
const require = createRequire(import.meta.url);
let api: RunningApi;
let folder: string;

beforeAll(async () => {
  api = await startApi({ topology: 'plain', webhookSecrets: exampleSecrets });
  folder = await mkdtemp(path.join(os.tmpdir(), 'lab-client-'));
  await writeFile(path.join(folder, 'openapi.json'), JSON.stringify((await api.call('GET', '/openapi.json')).body));
  await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }');
  const output = {
    mode: 'single',
    target: 'client.ts',
    client: 'fetch',
    baseUrl: api.url,
    urlEncodeParameters: true,
    headers: true,
  };
  const config = { lab: { input: 'openapi.json', output } };
  await writeFile(path.join(folder, 'orval.config.mjs'), `export default ${JSON.stringify(config)};\n`);
  const orval = path.join(path.dirname(require.resolve('orval/package.json')), 'dist/bin/orval.mjs');
  await run(process.execPath, [orval, '--config', 'orval.config.mjs'], { cwd: folder });
}, 120_000);

afterAll(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});

/** What the compiler says of this program; nothing where it compiles. */
async function compile(name: string, program: string): Promise<string> {
  await writeFile(path.join(folder, name), program);
  const tsc = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin/tsc');
  const strict = ['--strict', '--noUncheckedIndexedAccess', '--erasableSyntaxOnly', '--verbatimModuleSyntax'];
  const target = ['--module', 'nodenext', '--target', 'es2024', '--lib', 'es2024,dom', '--types', ''];
  const options = [...strict, ...target, '--noEmit', '--allowImportingTsExtensions'];
  return run(process.execPath, [tsc, ...options, name], { cwd: folder }).then(
    () => '',
    (error: { stdout: string }) => error.stdout.slice(0, 2_000),
  );
}

test('a client that is generated from the document compiles, and does what it says', { timeout: 120_000 }, async () => {
  expect(await compile('program.ts', await readFile('test/api/client-program.txt', 'utf8'))).toBe('');
  const { created } = providerDocuments.silvergate!.paths['payments/orders']!.examples;
  const sent = await api.call(
    'POST',
    '/webhooks/payments/orders',
    signExample('silvergate', 'payments/orders', created!.value),
  );
  const token = sent.headers.get('x-consistency-token')!;
  const access = await api.tokens.sign({ userId: 'op_1', role: 'operator' }, 60);
  const { stdout } = await run(process.execPath, ['program.ts', token, access], { cwd: folder });
  expect(JSON.parse(stdout)).toEqual({
    order_id: 'ord_1001',
    status: 'created',
    amount_minor: 4_990,
    kind: 'order_list',
    count: 1,
    onHold: true,
    codes: ['invalid_request', 'not_found'],
  });
});

test('what the document does not allow does not compile', { timeout: 120_000 }, async () => {
  const wrong = await compile('wrong.ts', await readFile('test/api/client-misuse.txt', 'utf8'));
  expect(wrong).toContain('wrong.ts(2,');
  expect(wrong).toContain('wrong.ts(4,');
});
