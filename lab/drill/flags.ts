import type { TopologyName } from '../../kernel/topology.ts';
import type { CdcEngine, WebhookMode } from '../../runtime/system-description.ts';

/** Of `lab drill failover`. */
export interface FailoverFlags {
  sync?: boolean;
  promotions: number;
  replicas: number;
  rate: number;
  seed: number;
  postgres: 'embedded' | 'installed';
  json?: boolean;
}

/** Of `lab drill pitr`. */
export interface PitrFlags {
  webhooks: number;
  seed: number;
  postgres: 'embedded' | 'installed';
  json?: boolean;
}

/** Of `lab drill kill`. */
export interface KillFlags {
  topology: TopologyName;
  mode: WebhookMode;
  cdc?: CdcEngine;
  kills: number;
  parts?: string[];
  replicas?: number;
  sync?: boolean;
  prometheus?: boolean;
  rate: number;
  seed: number;
  json?: boolean;
}

/** Of `lab drill payments`. */
export interface PaymentsDrillFlags {
  topology: TopologyName;
  payments: number;
  kills: number;
  faults: number;
  json?: boolean;
}
