import type { Logger } from 'pino';

export interface ShutdownStep {
  name: string;
  run(): Promise<unknown>;
}

/**
 * Runs the steps in order on SIGTERM or SIGINT and then exits: 0 when all of them ended in time, else 1. A second
 * signal exits at once. The caller lists the steps outermost first: server, queues, consumers, pools.
 */
export function shutdownOnSignal(options: { steps: ShutdownStep[]; timeoutMs: number; logger: Logger }): void {
  let stopping = false;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (stopping) process.exit(1);
    stopping = true;
    options.logger.info({ signal }, 'shutting down');
    const timer = setTimeout(() => {
      options.logger.error('shutdown took too long');
      process.exit(1);
    }, options.timeoutMs);
    timer.unref();
    let failed = false;
    for (const step of options.steps) {
      try {
        await step.run();
      } catch (error) {
        failed = true;
        options.logger.error({ err: error, step: step.name }, 'shutdown step failed');
      }
    }
    process.exit(failed ? 1 : 0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
