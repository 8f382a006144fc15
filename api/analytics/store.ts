/** What a question is limited to. Times are whole buckets, `timeTo` is exclusive. */
export interface Filter {
  timeFrom: Date;
  timeTo: Date;
  /** Length of a bucket in seconds; buckets begin at whole multiples of it since 1970, in UTC. */
  bucketSeconds: number;
  currency: string | undefined;
  provider: string | undefined;
}

/** Counts and sums as digits, so that none of them passes through floating point. */
export interface VolumeRow {
  bucket_s: string;
  currency: string;
  provider: string;
  created: string;
  succeeded: string;
  failed: string;
  volume_minor: string;
}

export interface DisputeRow {
  bucket_s: string;
  currency: string;
  provider: string;
  opened: string;
  disputed_minor: string;
  won: string;
  lost: string;
  orders_succeeded: string;
}

export interface FunnelRow {
  currency: string;
  created: string;
  held: string;
  released: string;
  capture_requested: string;
  captured: string;
  capture_failed: string;
  captured_minor: string;
  succeeded: string;
  failed: string;
}

export interface UserRow {
  user_id: string;
  created: string;
  succeeded: string;
  disputes_opened: string;
  volume_minor: string;
}

export interface TransfersRow {
  bucket_s: string;
  currency: string;
  kind: string;
  transfers: string;
  volume_minor: string;
}

export interface BalanceRow {
  bucket_s: string;
  currency: string;
  postings: string;
  change_minor: string;
  /** After the newest posting of the bucket. */
  balance_minor: string;
}

export interface FreshnessRow {
  /** Time of the newest event in Unix µs; null where there is none. */
  newest_us: string | null;
  /** Since `since`. */
  events: string;
}

export interface StageRow {
  stage: string;
  events: string;
  p50_ms: number;
  p99_ms: number;
}

/** The questions; every store answers all of them alike. */
export interface AnalyticsStore {
  volume(filter: Filter): Promise<VolumeRow[]>;
  disputes(filter: Filter): Promise<DisputeRow[]>;
  /** `provider` does not limit it: what the merchant does has none. */
  funnel(filter: Filter): Promise<FunnelRow[]>;
  topUsers(filter: Filter & { currency: string }, limit: number): Promise<UserRow[]>;
  transfers(filter: Filter): Promise<TransfersRow[]>;
  /** Buckets in which the account was posted to. */
  balances(filter: Filter, accountId: string): Promise<BalanceRow[]>;
  /** @param since Whole minute. @param newestSince How far back the newest event is searched. */
  freshness(since: Date, newestSince: Date): Promise<FreshnessRow>;
  /** Times between the stages of events since then; empty where the store does not know them. */
  stages(since: Date): Promise<StageRow[]>;
}
