import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { auditRun } from '../../../audit/audit.ts';
import type { TopologyName } from '../../../kernel/topology.ts';
import { type RunningSystem, startSystem } from '../../../runtime/native/system.ts';
import { orderOfRound } from '../../compare/rounds.ts';
import { describeEnvironment } from '../../measure/environment.ts';
import { sampleCpu } from '../../measure/process-cpu.ts';
import { runId } from '../../runner/run-id.ts';
import { closedConnections as connections } from '../ingest/ingest.ts';
import type { AcceptanceArm, AcceptanceDocument } from './document.ts';
import { describeArms, judgeAcceptance, ratioOfRates } from './summary.ts';
import { type Contender, openContender } from './turns.ts';

export interface AcceptanceOptions {
  command: string;
  topology: TopologyName;
  rounds: number;
  seed: number;
  scale: number;
  signal: AbortSignal;
  progress: (line: string) => void;
}

export type ArmName = AcceptanceArm['name'];
export type Rounds = Map<ArmName, AcceptanceArm['rounds']>;

const armNames = ['sync', 'kafka', 'kafka-burst'] as const;
const modes = ['sync', 'kafka'] as const;
type Mode = (typeof modes)[number];

const loadMs = 4_000;
/** Both runtimes go on compiling for this long; a broker that was started a moment ago takes twice the CPU. */
const warmUpMs = 12_000;

/**
 * The highest rate at which webhooks are accepted in either mode, in interleaved rounds on the same machine: sync mode
 * answers after COMMIT, kafka mode when the broker has synced its log. Kafka mode is measured twice, with the consumers
 * at work on the same cores, and with the consumers stopped until the load has ended, as in a burst that is worked off
 * later. Both systems are audited after the last message was applied.
 * @throws MissingPartError where there is no broker.
 */
export async function runAcceptance(options: AcceptanceOptions): Promise<AcceptanceDocument> {
  const { command, topology, rounds, seed, scale, signal, progress } = options;
  const startedAt = new Date();
  const environment = await describeEnvironment();
  const directory = await mkdtemp(path.join(os.tmpdir(), 'lab-acceptance-'));
  const systems = new Map<Mode, RunningSystem>();
  const contenders = new Map<Mode, Contender>();
  const recordOf = (mode: Mode) => path.join(directory, `${mode}.jsonl`);
  try {
    for (const mode of modes) {
      const say = (line: string) => progress(`${mode}: ${line}`);
      const quiet = { apiEnvironment: { LOG_LEVEL: 'warn' }, ingestEnvironment: { LOG_LEVEL: 'warn' } };
      const system = await startSystem({ topology, mode, cdc: 'off', signal, progress: say, ...quiet });
      systems.set(mode, system);
      const run = `a${randomBytes(3).toString('hex')}`;
      contenders.set(mode, await openContender({ system, recordFile: recordOf(mode), seed, run, connections, signal }));
      progress(`${mode}: warming up`);
      await contenders.get(mode)!.warmUp(warmUpMs * scale);
    }
    const idleBrokerCores = await idleCores(systems.get('kafka')!.broker!.pid);
    const measured: Rounds = new Map(armNames.map((name) => [name, []]));
    for (let round = 1; round <= rounds; round += 1) {
      for (const [at, name] of orderOfRound(armNames, round).entries()) {
        signal.throwIfAborted();
        const contender = contenders.get(name === 'sync' ? 'sync' : 'kafka')!;
        const turn = await contender.measure(loadMs * scale, name !== 'kafka-burst');
        if (turn.load.acknowledged === 0) throw new Error(`round ${round}: ${name} accepted no webhook at all`);
        measured.get(name)!.push({ round, position: at + 1, ...turn });
        progress(`round ${round}: ${name} accepted ${Math.round(turn.load.rate)} webhooks/s`);
      }
    }
    for (const contender of contenders.values()) await contender.close();
    contenders.clear();
    const audits: AcceptanceDocument['audits'] = [];
    for (const mode of modes) audits.push(await audit(mode, systems.get(mode)!, topology, recordOf(mode)));
    const ratios = {
      concurrent: ratioOfRates(measured, 'kafka', seed),
      burst: ratioOfRates(measured, 'kafka-burst', seed),
    };
    const reasons = judgeAcceptance(measured, audits);
    return {
      ...{ schemaVersion: 1, id: runId(startedAt, 'acceptance'), scenario: 'acceptance', command },
      ...{ startedAt: startedAt.toISOString(), finishedAt: new Date().toISOString() },
      ...{ seed, topology, environment, connections, arms: describeArms(measured), ratios, idleBrokerCores, audits },
      target: {
        what: 'webhooks accepted in kafka mode (acks=all) with the consumers at work, over sync mode',
        target: '≥ 1.00 ×',
        measured: `${ratios.concurrent.ratio.toFixed(2)} × (consumers stopped: ${ratios.burst.ratio.toFixed(2)} ×)`,
        met: ratios.concurrent.ratio >= 1,
      },
      reasons,
      verdict: reasons.length === 0 ? 'VALID' : 'DISCARDED',
    };
  } finally {
    for (const contender of contenders.values()) await contender.close().catch(() => {});
    await Promise.all([...systems.values()].map((system) => system.stop()));
    await rm(directory, { recursive: true, force: true });
  }
}

/** What a process takes of the cores while nobody asks anything of it. */
async function idleCores(pid: number): Promise<number> {
  const idleMs = 2_000;
  const before = (await sampleCpu({ broker: pid })).broker!;
  await delay(idleMs);
  return ((await sampleCpu({ broker: pid })).broker! - before) / (idleMs / 1e3);
}

async function audit(mode: Mode, system: RunningSystem, topology: TopologyName, recordFile: string) {
  const { ok, invariants } = await auditRun({ dsn: system.dsn.admin, topology, recordFiles: [recordFile] });
  const broken = invariants
    .filter((invariant) => !invariant.ok)
    .map(({ id, violations }) => `${id} broken ${violations} times`);
  return { mode, ok, acknowledged: invariants.find(({ id }) => id === 'I2')?.checked ?? 0, broken };
}
