import { capabilities, controlTopology, topologyNames } from '../../../kernel/topology.ts';
import type { TopologyScenario } from '../scenario.ts';
import type { ReadsData } from './data.ts';
import { readsFindings } from './findings.ts';
import { judgeReads } from './judge.ts';
import { readsTurn } from './metrics.ts';

export const reads: TopologyScenario<ReadsData> = {
  name: 'reads',
  question: 'how many reads replicas take off the primary under each routing policy, and how many of them are stale',
  // Policies differ only where there is a replica.
  topology: topologyNames.find((name) => capabilities(name).readsFromReplica) ?? controlTopology,
  turn: readsTurn,
  writes: true,
  inTour: false,
  open: async (arm, options) => (await import('./rounds.ts')).openReads(arm, options),
  judge: judgeReads,
  findings: ({ measurements }) => readsFindings(measurements),
  conclude: ({ measurements }) => readsFindings(measurements)[0],
  report: async () => ({ sections: [(await import('./section.ts')).readsSection] }),
};
