import { createLogger } from '../../kernel/logging.ts';
import { createPool } from '../../kernel/postgres/pool.ts';
import { topologyWith } from '../../kernel/topology.ts';
import { startSystem } from '../../runtime/native/system.ts';
import { commitTargets, measureTarget, type TargetResult } from './commit-targets.ts';

const progress = (line: string): void => console.error(line);

/** `node drills/experiments/commit-targets-main.ts`: three interleaved rounds of each target, as one JSON document. */
if (import.meta.main) {
  const system = await startSystem({ topology: topologyWith((can) => can.workers > 0), progress });
  const logger = createLogger({ service: 'commit-targets', level: 'error' });
  const results: (TargetResult & { round: number })[] = [];
  try {
    for (let round = 1; round <= 3; round += 1) {
      for (const target of commitTargets) {
        const openPool = (dsn: string) =>
          createPool({
            dsn,
            applicationName: 'commit-targets',
            logger,
            max: 8,
            pipeline: true,
            statementTimeoutMs: 30_000,
          });
        const options = { dsn: system.dsn.api, openPool, logger, orders: 1_500, concurrency: 256 };
        results.push({ round, ...(await measureTarget(options, target, `${target[0]}${round}`)) });
        progress(JSON.stringify(results.at(-1)));
      }
    }
    console.log(JSON.stringify(results, null, 2));
  } finally {
    await system.stop();
  }
}
