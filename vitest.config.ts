import { defineConfig } from 'vitest/config';

const exclude = ['**/node_modules/**', '**/.git/**'];

/**
 * Four projects, told apart by the files' names: `unit` needs nothing, `integration` shares one embedded PostgreSQL
 * per run, `kafka` starts brokers (and skips, with the reason, where Java is missing), `e2e` whole systems.
 */
export default defineConfig({
  test: {
    reporters: ['default', './test/skip-reporter.ts'],
    projects: [
      { test: { name: 'unit', include: ['**/*.unit.test.ts'], exclude } },
      {
        test: {
          name: 'integration',
          include: ['**/*.int.test.ts'],
          exclude,
          globalSetup: ['test/postgres/setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'kafka',
          include: ['**/*.kafka.test.ts'],
          exclude,
          // One after the other: a Java program's start takes all the cores that a small machine has.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/**/*.e2e.test.ts'],
          exclude,
          // Whole systems would compete for the machine's cores and then miss their own deadlines.
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
