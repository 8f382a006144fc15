import { fileURLToPath } from 'node:url';
import { type ReadPolicyName, readPolicyNames } from '../../../kernel/postgres/read-policies.ts';
import { withClient } from '../../../kernel/postgres/with-client.ts';
import { operatorToken } from '../../../runtime/access-token.ts';
import { generatePassword } from '../../../runtime/native/credentials.ts';
import type { PostgresServer } from '../../../runtime/native/postgres.ts';
import { startService } from '../../../runtime/native/service.ts';
import { providerSettings } from '../../../runtime/native/service-starts.ts';
import { percentiles } from '../../../simulator/driver/histogram.ts';
import { createRandom } from '../../../simulator/workload/random.ts';
import { type AckRecord, openAckRecord } from '../ingest/ack-record.ts';
import { createWebhookSource, type WebhookSource } from '../ingest/webhook-source.ts';
import type { Arm, ScenarioOptions, ScenarioSession } from '../scenario.ts';
import type { PolicyReads, ReadsData } from './data.ts';
import { runSessions } from './session.ts';

/** The replicas apply each commit so much later: a lag that every policy meets alike. */
const replayDelayMs = 100;
const sessions = 16;
/** Three rounds make 100,000 reads of the policy that must not have a stale one. */
const readsOf: Record<ReadPolicyName, number> = { naive: 4_000, sticky: 4_000, lsn_floor: 33_400, wait: 4_000 };
/** They promise that a session sees its own writes; the others are here to show what that promise is worth. */
const promising: readonly ReadPolicyName[] = ['lsn_floor', 'wait'];

export async function openReads(arm: Arm, options: ScenarioOptions): Promise<ScenarioSession<ReadsData>> {
  const { system } = arm;
  const record = await openAckRecord(arm.recordFile);
  const source = createWebhookSource({
    seed: options.seed,
    run: `${options.run}rd`.slice(-16),
    startTimeMs: options.startTimeMs,
    secrets: system.secrets,
    now: () => new Date(),
  });
  // Without a replica they all do the same.
  const policies: readonly ReadPolicyName[] = system.replicas.length > 0 ? readPolicyNames : ['lsn_floor'];
  return {
    measure: async (round) => {
      await setReplayDelay(system.replicas, replayDelayMs);
      try {
        const results: PolicyReads[] = [];
        // Each round begins with another policy.
        for (const at of policies.keys()) {
          const policy = policies[(at + round - 1) % policies.length]!;
          options.progress(`reads by the policy ${policy}`);
          results.push(await measurePolicy(policy, { arm, options, record, source, round }));
          await record.flush();
        }
        return {
          replicas: system.replicas.length,
          replayDelayMs: system.replicas.length && replayDelayMs,
          policies: results,
        };
      } finally {
        await setReplayDelay(system.replicas, 0);
      }
    },
    acknowledged: () => record.distinct,
    close: () => record.close(),
  };
}

interface PolicyContext {
  arm: Arm;
  options: ScenarioOptions;
  record: AckRecord;
  source: WebhookSource;
  round: number;
}

/** The policy is a setting of the API, so each has an API of its own on the arm's database. */
async function measurePolicy(policy: ReadPolicyName, context: PolicyContext): Promise<PolicyReads> {
  const { arm, options, record, source, round } = context;
  const { system } = arm;
  const api = await startService({
    name: `api-${policy}-${round}`,
    entry: fileURLToPath(new URL('../../../api/main.ts', import.meta.url)),
    runDirectory: system.runDirectory,
    environment: (port) => ({
      TOPOLOGY: arm.topology,
      DATABASE_URL: system.dsn.api,
      ...(system.replicas.length > 0 && { REPLICA_DATABASE_URLS: system.dsn.replicas.join(',') }),
      API_PORT: String(port),
      READ_POLICY: policy,
      LOG_LEVEL: 'warn',
      CURSOR_SECRET: generatePassword(),
      ACCESS_TOKEN_SECRETS: system.secrets.accessTokens,
      RATE_LIMIT_PER_MINUTE: '100000000',
      ...providerSettings(system.secrets),
    }),
    signal: options.signal,
  });
  try {
    const clock = () => performance.now();
    const startedAt = clock();
    const { latency, ...totals } = await runSessions({
      url: api.url,
      token: await operatorToken(system),
      source,
      record,
      sessions,
      clock,
      signal: options.signal,
      recordReads: promising.includes(policy),
      reads: Math.ceil(readsOf[policy] * options.scale),
      random: createRandom(options.seed, round * 10 + readPolicyNames.indexOf(policy)),
    });
    const count = totals.pointReads + totals.listReads;
    return {
      policy,
      reads: count,
      ...totals,
      replicaShare: 1 - (totals.byNode.primary ?? 0) / Math.max(count, 1),
      rate: count / ((clock() - startedAt) / 1e3),
      latency: percentiles(latency),
    };
  } finally {
    await api.stop();
  }
}

async function setReplayDelay(replicas: readonly PostgresServer[], delayMs: number): Promise<void> {
  for (const replica of replicas) {
    await withClient(replica.dsn(), async (client) => {
      await client.query(`alter system set recovery_min_apply_delay = '${delayMs}ms'`);
      await client.query('select pg_reload_conf()');
    });
  }
}
