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
