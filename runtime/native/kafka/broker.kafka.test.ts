import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeIf } from '../../../test/skip.ts';
import { MissingPartError } from '../missing-part.ts';
import { isAlive, listProcesses } from '../processes.ts';
import { createRunDirectory, type RunDirectory } from '../run-directory.ts';
import { findServerUser } from '../server-user.ts';
import { type Broker, startBroker } from './broker.ts';
import { findJava } from './java.ts';
import { missingForKafka } from './missing.ts';

describeIf('Kafka broker', await missingForKafka(), () => {
  let run: RunDirectory;
  let broker: Broker;
  beforeAll(async () => {
    run = await createRunDirectory();
    broker = await startBroker({ runDirectory: run.path });
  });
  afterAll(() => run.close());

  test('it listens on 127.0.0.1 only, as an unprivileged user, and its command line names the run', async () => {
    const { command } = (await listProcesses()).find(({ pid }) => pid === broker.pid)!;
    expect(command).toContain(run.path);
    const configuration = await readFile(path.join(run.path, 'kafka.properties'), 'utf8');
    expect(configuration).toMatch(/^listeners=BROKER:\/\/127\.0\.0\.1:\d+,CONTROLLER:\/\/127\.0\.0\.1:\d+$/m);
    const user = await findServerUser();
    const { uid } = await stat(path.join(run.path, 'kafka-data', 'meta.properties'));
    expect(uid).toBe(user?.uid ?? process.getuid?.());
    expect(uid).not.toBe(0);
  });

  test('it comes back on the same port after kill -9', async () => {
    const { pid, port } = broker;
    broker.kill('SIGKILL');
    await expect.poll(() => isAlive(pid)).toBe(false);
    await broker.restart();
    expect(broker.port).toBe(port);
    expect(broker.pid).not.toBe(pid);
  });

  test.runIf(process.platform === 'linux')('after an ordered stop its classes come from an archive', async () => {
    await broker.stop();
    await broker.restart();
    // Java maps an archive only where it fits.
    expect(await readFile(`/proc/${broker.pid}/maps`, 'latin1')).toContain('-broker/classes.jsa');
  });

  test('a wrong setting fails with what the broker said, and leaves no process', async () => {
    const start = startBroker({ runDirectory: run.path, name: 'broken', settings: { 'num.io.threads': 'many' } });
    await expect(start).rejects.toThrow(/num\.io\.threads/);
    expect((await listProcesses()).filter(({ command }) => command.includes('broken.properties'))).toEqual([]);
  });

  test('no broker outlives a parent that was killed with kill -9', async () => {
    const holder = spawn(process.execPath, [path.resolve(import.meta.dirname, '../../../test/kafka/hold-broker.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface(holder.stdout), 'line');
    const held = JSON.parse(line) as { runDirectory: string; pid: number };
    expect(await isAlive(held.pid)).toBe(true);
    holder.kill('SIGKILL');
    await expect.poll(() => isAlive(held.pid), { timeout: 10_000 }).toBe(false);
    await expect.poll(() => stat(held.runDirectory).catch(() => 'gone'), { timeout: 10_000 }).toBe('gone');
  });
});

test('a missing or an old Java is named with its remedy', async () => {
  const none = await findJava({ PATH: '/nonexistent' }).catch((error) => error);
  expect(none).toBeInstanceOf(MissingPartError);
  expect(none.message).toMatch(/Missing here: Java 17\. Remedy: .*openjdk-17/);
});
