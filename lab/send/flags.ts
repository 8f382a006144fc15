import type { SendOptions } from '../../simulator/delivery/send.ts';

/** What `lab send` takes from the command line. */
export interface SendFlags {
  count: number;
  rate?: number;
  /** Past days over which the traffic is spread. */
  since?: number;
  seed: number;
  duplicates: number;
  late: number;
  contradictions: number;
  provider: SendOptions['provider'];
  record?: string;
  run?: string;
  url?: string;
  secret?: Record<string, string>;
  /** Access token of reads, for --url. */
  token?: string;
  concurrency: number;
  json?: boolean;
}
