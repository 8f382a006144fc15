import { createLogger } from '../../kernel/logging.ts';
import { topologyWith } from '../../kernel/topology.ts';
import { startSystem } from '../../runtime/native/system.ts';
import { runCdcExperiment } from './cdc.ts';

const progress = (line: string): void => console.error(line);

/**
 * `node drills/experiments/main.ts [webhooks] [per second]`: change data capture from a Citus cluster whose shards move
 * and whose worker dies under load. Prints one JSON document; status 1 when events were lost or the audit is not clean.
 */
const [webhooks = 20_000, perSecond = 250] = process.argv.slice(2).map(Number);
const system = await startSystem({ topology: topologyWith(({ workers }) => workers > 0), progress });
try {
  const result = await runCdcExperiment({
    system,
    webhooks,
    perSecond,
    seed: 1,
    moves: 2,
    killWorker: true,
    logger: createLogger({ service: 'cdc', level: 'error' }),
    progress,
  });
  console.log(JSON.stringify(result, null, 2));
  if (result.lost > 0 || !result.auditClean) process.exitCode = 1;
} finally {
  await system.stop();
}
