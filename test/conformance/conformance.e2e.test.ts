import { capabilities, type TopologyName } from '../../kernel/topology.ts';
import { missingCitus } from '../../runtime/native/missing-citus.ts';
import { describeIf } from '../skip.ts';
import { contractSuite } from './suite/contract.ts';

const topologies: TopologyName[] = ['plain', 'partitioned', 'replicated', 'citus'];
/** The extension comes neither with npm nor with Debian. */
const noCitus = await missingCitus();

/** One contract, whatever lies below: the same suite over HTTP on a really started system of each topology. */
for (const topology of topologies) {
  describeIf(topology, capabilities(topology).requiredExtension ? noCitus : undefined, () => {
    contractSuite({ topology });
  });
}
