import { atEach } from '../kernel/postgres/hosts.ts';
import { topologyWith } from '../kernel/topology.ts';
import { attemptWrite, fence, type WriteAttempt } from '../replication/fence.ts';
import { mostAdvanced, promote } from '../replication/promote.ts';
import { rebuildAsReplica } from '../replication/rebuild.ts';
import type { PostgresServer } from '../runtime/native/postgres.ts';
import { setSynchronousReplicas } from '../runtime/native/replica.ts';
import {
  createFailoverSlot,
  hasFailoverSlots,
  hasUsableSlot,
  holdReadersFor,
  synchronizeSlots,
  waitForSlotCopies,
} from '../runtime/native/slots.ts';
import { createRandom } from '../simulator/workload/random.ts';
import { type FailoverResult, judgeFailover, type Promotion } from './failover-result.ts';
import { type DrillHistory, openHistory } from './history.ts';
import { type PlannedPromotion, planPromotions } from './schedule.ts';
import { type SlotReader, startSlotReader } from './slot-reader.ts';
import { type DrillSystem, startDrillSystem } from './system.ts';
import { type DrillLoad, startLoad } from './webhook-load.ts';

export interface FailoverOptions {
  promotions: number;
  replicas: number;
  synchronous: boolean;
  seed: number;
  /** Webhooks a second. */
  rate: number;
  postgres: 'embedded' | 'installed';
  /** Where the drill's history goes. */
  root: string;
  progress: (line: string) => void;
  signal: AbortSignal;
  now: () => Date;
  /** Monotonic, in milliseconds. */
  clock: () => number;
}

const slotName = 'lab_drill';
const firstAckTimeoutMs = 60_000;
/** A promotion is drilled where the topology can't be without a replica. */
const topology = topologyWith(({ replicas }) => replicas === 'required');

/**
 * Promotes a replica again and again under load, with the old primary killed, ended or frozen; brings the old one back,
 * tries to write to it, makes it a replica again. In the end the client's record is held against the database.
 */
export async function drillFailover(options: FailoverOptions): Promise<FailoverResult> {
  const { seed, promotions, synchronous, replicas, root, now, clock, progress, signal } = options;
  const schedule = planPromotions(promotions, createRandom(seed, 77));
  const history = await openHistory({ name: 'failover', seed, root, now, schedule });
  const system = await startDrillSystem({
    topology,
    replicas,
    synchronous,
    postgres: options.postgres,
    progress,
    signal,
    // A replica that changes its primary needs the WAL since its last byte; the promoted one has it still.
    // By default it waits five seconds between two attempts to reach one, with all commits waiting for it.
    settings: { wal_keep_size: '256MB', wal_retrieve_retry_interval: '100ms' },
  });
  let drill: FailoverDrill | undefined;
  try {
    drill = new FailoverDrill(options, system, history);
    // The slot delivers what is written after it was made.
    await drill.prepareSlots();
    const load = await startLoad({
      url: system.api.url,
      secret: system.secret,
      token: system.token,
      recordFile: history.recordFile,
      seed,
      run: `fo${seed}`,
      rate: options.rate,
      now,
      clock,
    });
    drill.load = load;
    await drill.restoreRedundancy();
    for (const [index, planned] of schedule.entries()) {
      signal.throwIfAborted();
      await drill.failOver(index + 1, planned, load);
    }
    await load.waitForAcks(50);
    await load.stop();
    const result = await judgeFailover({
      topology,
      history,
      seed,
      synchronous,
      replicas,
      load,
      promotions: drill.promotions,
      reader: drill.reader,
      adminDsn: drill.dsnOf(drill.primary),
      version: drill.primary.version,
      signal,
    });
    await history.finish(result);
    return result;
  } finally {
    await drill?.reader?.stop();
    await drill?.load?.stop().catch(() => {});
    await system.close();
  }
}

class FailoverDrill {
  readonly promotions: Promotion[] = [];
  load: DrillLoad | undefined;
  primary: PostgresServer;
  standbys: PostgresServer[];
  reader: SlotReader | undefined;
  readonly #options: FailoverOptions;
  readonly #system: DrillSystem;
  readonly #history: DrillHistory;

  constructor(options: FailoverOptions, system: DrillSystem, history: DrillHistory) {
    this.#options = options;
    this.#system = system;
    this.#history = history;
    this.primary = system.database.primary;
    this.standbys = system.database.replicas;
  }

  /** Superuser's URL of the payments database. */
  dsnOf(server: PostgresServer): string {
    return atEach(this.#system.database.dsn.admin, [server])[0]!;
  }

  async prepareSlots(): Promise<void> {
    if (!hasFailoverSlots(this.primary)) return;
    const servers = [this.primary, ...this.standbys];
    for (const server of servers) await synchronizeSlots(server);
    await createFailoverSlot(this.dsnOf(this.primary), slotName);
    const dsns = atEach(this.#system.database.dsn.admin, servers);
    this.reader = startSlotReader({ dsns, slotName, publication: 'lab_outbox' });
  }

  async failOver(number: number, planned: PlannedPromotion, load: DrillLoad): Promise<void> {
    const { clock, synchronous, progress } = this.#options;
    await load.waitForAcks(planned.acksBefore);
    const old = this.primary;
    const failedAt = clock();
    const sinceFault = (atMs = clock()) => Math.round(atMs - failedAt);
    old.kill(planned.fault);
    await this.#history.note('fault', { number, server: old.name, fault: planned.fault });
    await fence(old);
    const fencedMs = sinceFault();
    const candidate = await mostAdvanced(this.standbys, synchronous);
    const followers = this.standbys.filter((server) => server !== candidate);
    await promote({ candidate, followers, synchronous, failoverSlots: this.reader !== undefined });
    const promotedAt = clock();
    this.primary = candidate;
    await this.#history.note('promoted', { number, server: candidate.name, ms: sinceFault(promotedAt) });
    const firstAck = await load.firstAckAfter(promotedAt, firstAckTimeoutMs);
    const slotSurvived = this.reader ? await hasUsableSlot(candidate, slotName) : null;
    const oldPrimary = await this.#comeBack(old, number);
    const rebuildingAt = clock();
    const rebuilt = await rebuildAsReplica(old, candidate);
    this.standbys = [...followers, rebuilt.server];
    await this.restoreRedundancy();
    const promotion: Promotion = {
      ...planned,
      number,
      from: old.name,
      to: candidate.name,
      fencedMs,
      promotedMs: sinceFault(promotedAt),
      firstAckMs: firstAck === undefined ? null : sinceFault(firstAck),
      oldPrimary,
      rebuiltBy: rebuilt.method,
      rebuiltMs: Math.round(clock() - rebuildingAt),
      slotSurvived,
    };
    this.promotions.push(promotion);
    await this.#history.note('rebuilt', { ...promotion });
    progress(
      `${number}: ${planned.fault} ${old.name} → ${candidate.name}, first acknowledged write after ` +
        `${promotion.firstAckMs} ms, old primary ${oldPrimary.accepted ? 'ACCEPTED A WRITE' : 'refused'}`,
    );
  }

  /** The old primary is started again, as an operating system would do; it must not take a write. */
  async #comeBack(old: PostgresServer, number: number): Promise<WriteAttempt> {
    await old.restart();
    const attempt = await attemptWrite(this.dsnOf(old));
    await this.#history.note('old primary came back', { number, server: old.name, ...attempt });
    // Cleanly, so that it can be rewound.
    await old.stop('fast');
    return attempt;
  }

  /** Every standby counts again: for commits, for the readers of slots, and has a copy of the slot. */
  async restoreRedundancy(): Promise<void> {
    const names = this.standbys.map(({ name }) => name);
    if (this.#options.synchronous) await setSynchronousReplicas(this.primary, names);
    if (!this.reader) return;
    await holdReadersFor(this.primary, names);
    if (!(await waitForSlotCopies(this.primary, this.standbys, slotName, 60_000))) {
      throw new Error(`the standbys have no copy of slot ${slotName} after a minute`);
    }
  }
}
