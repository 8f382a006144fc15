import { withClient } from '../../kernel/postgres/with-client.ts';
import { within } from '../../kernel/wait.ts';
import { movedTo } from './database.ts';
import type { Deployment } from './deployment.ts';
import type { Part } from './part.ts';
import type { PostgresServer } from './postgres.ts';
import type { PromotionSteps } from './promotion-steps.ts';
import { setSynchronousReplicas } from './replica.ts';
import { hasFailoverSlots, holdReadersFor, waitForSlotCopies } from './slots.ts';

export interface SystemPromotionDeps {
  deployment: Deployment;
  /** Undefined: this system can't promote. */
  steps: PromotionSteps | undefined;
  /** Commits wait for a replica. */
  synchronous: boolean;
  api: Part;
  pgbouncer: Part | undefined;
  progress: (line: string) => void;
}

/** How long a server may take to answer before it counts as gone. */
const answerWithinMs = 5_000;
/** A new slot's copies take half a minute (docs/guides/replication.md). */
const slotCopiesWithinMs = 60_000;

/** Makes a replica of a running system its primary. Services find it by themselves; a pooler has to be led there. */
export class SystemPromotion {
  readonly #deps: SystemPromotionDeps;

  constructor(deps: SystemPromotionDeps) {
    this.#deps = deps;
  }

  /**
   * The old primary is ended, in order where it still answers, so that its replicas have everything; then it is fenced.
   * @throws Error before anything was done where it can't be: no replica, one that does not answer, a missing slot copy.
   */
  async promote(wanted: string | undefined, rebuild: boolean): Promise<void> {
    const { deployment, synchronous, progress } = this.#deps;
    const steps = this.#steps();
    const old = deployment.database.primary;
    if (wanted === old.name) return this.#rebuildAll(rebuild);
    const replicas = await this.#answering(wanted);
    const answers = await hasAnswered(old);
    if (answers) await expectSlotCopies(old, replicas);
    progress(`ending ${old.name}`);
    await old.stop(answers ? 'fast' : 'immediate');
    await steps.fence(old);
    const candidate = await steps.mostAdvanced(replicas, synchronous);
    if (wanted !== undefined && candidate.name !== wanted) {
      progress(`${wanted} lacks what ${candidate.name} has: ${candidate.name} is promoted instead`);
    }
    const followers = replicas.filter((server) => server !== candidate);
    const failoverSlots = synchronous && hasFailoverSlots(candidate);
    await steps.promote({ candidate, followers, synchronous, failoverSlots });
    const left = deployment.database.replicas.filter((server) => !replicas.includes(server));
    for (const server of left) await server.stop('immediate');
    deployment.fenced.push(old, ...left);
    await this.#moveTo(candidate, followers);
    progress(`${candidate.name} is the primary; ${old.name} is fenced`);
    await this.#rebuildAll(rebuild);
  }

  /** @throws Error when no promotion has left this server behind. */
  async rebuild(name: string): Promise<void> {
    const { deployment, synchronous, progress } = this.#deps;
    const { primary, replicas } = deployment.database;
    if (replicas.some((server) => server.name === name)) return;
    const former = deployment.fenced.find((server) => server.name === name);
    if (!former) throw new Error(`${name} is not a server that a promotion has left behind`);
    progress(`making ${name} a replica of ${primary.name}`);
    const { server } = await this.#steps().rebuildAsReplica(former, primary);
    deployment.fenced = deployment.fenced.filter((one) => one !== former);
    const all = [...replicas, server];
    if (synchronous) {
      const names = all.map((one) => one.name);
      await setSynchronousReplicas(primary, names);
      if (hasFailoverSlots(primary)) await holdReadersFor(primary, names);
    }
    await this.#moveTo(primary, all);
  }

  async #rebuildAll(wanted: boolean): Promise<void> {
    if (!wanted) return;
    for (const { name } of [...this.#deps.deployment.fenced]) await this.rebuild(name);
  }

  #steps(): PromotionSteps {
    const { steps, deployment } = this.#deps;
    if (!steps) throw new Error('this system was started without a way to promote a replica');
    if (deployment.conversion) throw new Error('a conversion is under way: finish it first');
    return steps;
  }

  /** The replicas that can be promoted or follow, the wanted one first. */
  async #answering(wanted: string | undefined): Promise<PostgresServer[]> {
    const { deployment, synchronous } = this.#deps;
    const { replicas } = deployment.database;
    const names = replicas.map(({ name }) => name);
    if (names.length === 0) throw new Error('there is no replica to promote');
    if (wanted !== undefined && !names.includes(wanted)) {
      throw new Error(`there is no replica ${wanted}. Choose one of ${names.join(', ')}.`);
    }
    const answered = await Promise.all(replicas.map(hasAnswered));
    const answering = replicas.filter((_server, index) => answered[index]);
    const silent = names.filter((_name, index) => !answered[index]);
    // With synchronous commits the silent one may be the only one that has some of them.
    const needed = synchronous ? silent : silent.filter((name) => name === wanted || answering.length === 0);
    if (needed.length > 0) throw new Error(`${needed.join(', ')}: no answer. Nothing was promoted. See: lab status`);
    return answering.sort((a, b) => Number(b.name === wanted) - Number(a.name === wanted));
  }

  async #moveTo(primary: PostgresServer, replicas: readonly PostgresServer[]): Promise<void> {
    const { deployment, api, pgbouncer } = this.#deps;
    deployment.database = movedTo(primary, replicas, deployment.database);
    if (!pgbouncer) return;
    await pgbouncer.restart();
    await api.restart();
  }
}

async function hasAnswered(server: PostgresServer): Promise<boolean> {
  const ask = withClient(server.dsn(), (client) => client.query('select 1'));
  return within(answerWithinMs, ask).then(
    () => true,
    () => false,
  );
}

/** What reads through a slot would lose events if the slot were missing on the new primary. */
async function expectSlotCopies(primary: PostgresServer, replicas: readonly PostgresServer[]): Promise<void> {
  if (!hasFailoverSlots(primary)) return;
  const slots = await withClient(primary.dsn(), async (client) => {
    const { rows } = await client.query<{ slot_name: string }>(
      'select slot_name from pg_replication_slots where failover and not temporary',
    );
    return rows.map(({ slot_name }) => slot_name);
  });
  for (const slot of slots) {
    if (await waitForSlotCopies(primary, replicas, slot, slotCopiesWithinMs)) continue;
    throw new Error(`a replica has no copy of the slot ${slot} after a minute. Nothing was promoted; try again later.`);
  }
}
