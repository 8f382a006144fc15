import { createLogger } from '../../kernel/logging.ts';
import { createPool } from '../../kernel/postgres/pool.ts';
import { startSystem } from '../../runtime/native/system.ts';
import { compareLanes, type LanesResult, laneKinds } from './lanes.ts';

const progress = (line: string): void => console.error(line);

/** `node drills/experiments/lanes-main.ts`: three interleaved rounds of each kind of lane, as one JSON document. */
if (import.meta.main) {
  const system = await startSystem({ topology: 'citus', progress });
  const logger = createLogger({ service: 'lanes', level: 'error' });
  const results: (LanesResult & { round: number })[] = [];
  try {
    for (let round = 1; round <= 3; round += 1) {
      for (const lane of laneKinds) {
        const openPool = (dsn: string) =>
          createPool({ dsn, applicationName: 'lanes', logger, max: 8, pipeline: true, statementTimeoutMs: 30_000 });
        const options = { dsn: system.dsn.api, openPool, logger, orders: 1_500, concurrency: 256 };
        results.push({ round, ...(await compareLanes(options, lane, `${lane[0]}${round}`)) });
        progress(JSON.stringify(results.at(-1)));
      }
    }
    console.log(JSON.stringify(results, null, 2));
  } finally {
    await system.stop();
  }
}
