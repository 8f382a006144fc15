import { defineConfig } from 'vitest/config';

const exclude = ['**/node_modules/**', '**/.git/**'];

/**
 * Three projects, told apart by the files' names: `unit` needs nothing, `integration` shares one embedded PostgreSQL
 * per run, `e2e` starts whole systems of its own.
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
          testTimeout: 20_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/**/*.e2e.test.ts'],
          exclude,
          // Whole systems would compete for the machine's cores and then miss their own deadlines.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
