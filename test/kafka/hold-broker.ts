import { startBroker } from '../../runtime/native/kafka/broker.ts';
import { createRunDirectory } from '../../runtime/native/run-directory.ts';

/** A program for tests: starts a broker, prints one line of JSON, and holds it until it is killed. */
const run = await createRunDirectory();
try {
  const { pid, port } = await startBroker({ runDirectory: run.path });
  process.stdout.write(`${JSON.stringify({ runDirectory: run.path, pid, port })}\n`);
  setInterval(() => {}, 2 ** 30);
} catch (error) {
  process.stderr.write(`${error}\n`);
  await run.close();
  process.exitCode = 1;
}
