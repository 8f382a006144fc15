import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { compileCacheDirectory } from './runtime/native/compile-cache.ts';

const exclude = ['**/node_modules/**', '**/.git/**'];

/**
 * Most of what takes long waits for other processes: two files at a time fill two cores. More cores are given to those
 * processes, so that whole systems don't miss their own deadlines.
 */
const maxWorkers = Math.max(2, Math.floor(availableParallelism() / 2));

/**
 * A condition is waited for as long as a busy machine may take: vitest's own limits are one second for a poll and five
 * for a test.
 */
const expectations = { poll: { timeout: 15_000 } };

/**
 * Four projects, told apart by the files' names: `unit` needs nothing, `integration` shares one embedded PostgreSQL
 * per run, `kafka` starts brokers (and skips, with the reason, where Java is missing), `e2e` whole systems. They begin
 * in the order of their names, which is the right one: long files first, so that none is left over at the end.
 */
export default defineConfig({
  test: {
    reporters: ['default', './test/skip-reporter.ts'],
    maxWorkers,
    env: { NODE_COMPILE_CACHE: compileCacheDirectory },
    projects: [
      // Nothing here keeps state in a module, so that files can share a process, and what they import.
      {
        test: {
          name: 'unit',
          include: ['**/*.unit.test.ts'],
          exclude,
          isolate: false,
          maxWorkers,
          testTimeout: 30_000,
          hookTimeout: 30_000,
          expect: expectations,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['**/*.int.test.ts'],
          exclude,
          globalSetup: ['test/postgres/setup.ts'],
          isolate: false,
          maxWorkers,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect: expectations,
        },
      },
      {
        test: {
          name: 'kafka',
          include: ['**/*.kafka.test.ts'],
          exclude,
          maxWorkers,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          expect: expectations,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/**/*.e2e.test.ts'],
          exclude,
          maxWorkers,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: expectations,
        },
      },
    ],
  },
});
