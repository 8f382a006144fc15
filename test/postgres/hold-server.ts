import { startPostgres } from '../../runtime/native/postgres.ts';
import { createRunDirectory } from '../../runtime/native/run-directory.ts';

/**
 * A program for tests: starts a server and holds it until it is killed. `node hold-server.ts [name=value …]` prints one
 * line of JSON once the server runs; the arguments are PostgreSQL settings.
 */
const run = await createRunDirectory();
const settings = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split('=', 2)));
try {
  const { pid, port } = await startPostgres({ runDirectory: run.path, name: 'primary', settings });
  process.stdout.write(`${JSON.stringify({ runDirectory: run.path, pid, port, uid: process.getuid?.() })}\n`);
  setInterval(() => {}, 2 ** 30);
} catch (error) {
  process.stderr.write(`${error}\n`);
  await run.close();
  process.exitCode = 1;
}
