import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    exclude: ['tests/tools/**'],
    globalSetup: ['tests/support/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Many tests start servers, chains and sandboxes of their own; more files at once than cores only make them wait for each other.
    maxWorkers: 2,
    pool: 'forks',
    reporters: ['default', './tests/support/count-reporter.ts'],
  },
});
