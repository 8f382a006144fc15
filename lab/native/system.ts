import type { TopologyName } from '../../kernel/topology.ts';

/** What is known about a running system; stored as run.json in its directory. */
export interface SystemDescription {
  id: string;
  topology: TopologyName;
  mode: 'sync';
  runDirectory: string;
  supervisorPid: number;
  /** RFC 3339, UTC. */
  startedAt: string;
  urls: { api: string; provider: string };
  dsn: { admin: string; api: string; reader: string; replicas: string[] };
  secrets: { silvergate: string; stripe: string; adyen: string };
  postgres: { kind: 'embedded' | 'installed'; version: string };
  processes: { name: string; pid: number }[];
}
