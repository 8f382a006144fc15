import { capabilities, type TopologyName } from '../../../kernel/topology.ts';
import { missingForKafka } from '../../../runtime/native/kafka/missing.ts';
import { missingChdb } from '../../../runtime/native/missing-chdb.ts';
import type { Engine } from './document.ts';

/** What keeps an engine from running here; undefined when nothing does. */
export async function missingEngine(engine: Engine, topology: TopologyName): Promise<string | undefined> {
  if (!capabilities(topology).cdcEngines.includes(engine)) return `${topology} is read natively only, on each worker`;
  return missingChdb() ?? (engine === 'debezium' ? missingForKafka() : undefined);
}
