import type {
  BalanceRow,
  DisputeRow,
  FreshnessRow,
  FunnelRow,
  StageRow,
  TransfersRow,
  UserRow,
  VolumeRow,
} from './store.ts';

/** Rows of a store as the API answers them: amounts as bigint, counts as numbers, rates computed in one place. */
export function volumeRow(row: VolumeRow) {
  const [succeeded, failed] = [Number(row.succeeded), Number(row.failed)];
  return {
    ...place(row),
    orders_created: Number(row.created),
    orders_succeeded: succeeded,
    orders_failed: failed,
    success_rate: ratio(succeeded, succeeded + failed),
    volume_minor: BigInt(row.volume_minor),
  };
}

export function disputeRow(row: DisputeRow) {
  const [opened, won, lost] = [Number(row.opened), Number(row.won), Number(row.lost)];
  const ordersSucceeded = Number(row.orders_succeeded);
  return {
    ...place(row),
    disputes_opened: opened,
    disputes_won: won,
    disputes_lost: lost,
    orders_succeeded: ordersSucceeded,
    dispute_rate: ratio(opened, ordersSucceeded),
    win_rate: ratio(won, won + lost),
    disputed_minor: BigInt(row.disputed_minor),
  };
}

export function funnelRow(row: FunnelRow) {
  return {
    currency: row.currency || null,
    orders_created: Number(row.created),
    orders_held: Number(row.held),
    orders_released: Number(row.released),
    orders_capture_requested: Number(row.capture_requested),
    orders_captured: Number(row.captured),
    orders_capture_failed: Number(row.capture_failed),
    orders_succeeded: Number(row.succeeded),
    orders_failed: Number(row.failed),
    captured_minor: BigInt(row.captured_minor),
  };
}

export function userRow(row: UserRow) {
  return {
    user_id: row.user_id,
    orders_created: Number(row.created),
    orders_succeeded: Number(row.succeeded),
    disputes_opened: Number(row.disputes_opened),
    volume_minor: BigInt(row.volume_minor),
  };
}

export function transfersRow({ bucket_s, currency, kind, transfers, volume_minor }: TransfersRow) {
  const bucket = bucketOf(bucket_s);
  return { bucket, currency, kind, transfers: Number(transfers), volume_minor: BigInt(volume_minor) };
}

export function balanceRow({ bucket_s, currency, postings, change_minor, balance_minor }: BalanceRow) {
  return {
    bucket: bucketOf(bucket_s),
    currency,
    postings: Number(postings),
    change_minor: BigInt(change_minor),
    balance_minor: BigInt(balance_minor),
  };
}

/** How late the provider delivers is no matter of the service, and `total` is the sum of what follows COMMIT. */
const notToBlame = ['accepted', 'total'];

export function freshnessFields({ newest_us, events }: FreshnessRow, stages: readonly StageRow[], now: Date) {
  const newestMs = newest_us === null ? null : Number(BigInt(newest_us) / 1000n);
  const steps = stages.filter(({ stage }) => !notToBlame.includes(stage));
  const slowest = steps.reduce<StageRow | null>((slow, one) => (slow && slow.p99_ms >= one.p99_ms ? slow : one), null);
  return {
    newest_event_at: newestMs === null ? null : new Date(newestMs).toISOString(),
    age_ms: newestMs === null ? null : Math.max(0, now.getTime() - newestMs),
    events_in_window: Number(events),
    stages: stages.map((stage) => ({ ...stage, events: Number(stage.events) })),
    slow_stage: slowest?.stage ?? null,
  };
}

function place({ bucket_s, currency, provider }: { bucket_s: string; currency: string; provider: string }) {
  return { bucket: bucketOf(bucket_s), currency: currency || null, provider: provider || null };
}

function bucketOf(seconds: string): string {
  return new Date(Number(seconds) * 1000).toISOString();
}

/** Six decimals: more would pretend a precision that counts do not have. */
function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.round((part / whole) * 1e6) / 1e6;
}
