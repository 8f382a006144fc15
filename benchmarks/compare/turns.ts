import { readDurability } from '../conditions/durability.ts';
import { serverDsns } from '../measure/servers.ts';
import { vacuum } from '../measure/vacuum.ts';
import type { Place, ReadyArm } from '../runner/part.ts';
import type { Arm, ScenarioOptions, ScenarioSession, TopologyScenario } from '../scenarios/scenario.ts';
import type { Measurement } from '../schema/turn.ts';
import { againName, withAgain } from './same-arm.ts';

export interface OpenScenario {
  arms: ReadyArm[];
  /** By arm, the webhooks that clients counted as acknowledged so far. */
  acknowledged(): Map<string, number>;
  close(): Promise<void>;
}

/**
 * Prepares a scenario on every arm: side by side, since nothing is measured yet.
 * @param control has a second turn in each round, under another name; no arm has one unless told otherwise.
 * @throws the first error, after all arms have come to an end of it.
 */
export async function openScenario(
  scenario: TopologyScenario,
  arms: readonly Arm[],
  options: ScenarioOptions,
  control?: string,
): Promise<OpenScenario> {
  const opened = await Promise.allSettled(arms.map((arm) => scenario.open(arm, options)));
  const sessions = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const close = async () => {
    await Promise.allSettled(sessions.map((session) => session.close()));
  };
  const failed = opened.find((result) => result.status === 'rejected');
  if (failed) {
    await close();
    throw failed.reason;
  }
  const ready = arms.map((arm, at) => readyArm(scenario, arm, sessions[at]!, options.signal));
  const at = arms.findIndex(({ name }) => name === control);
  return {
    arms: at === -1 ? ready : withAgain(ready, turnAgain(scenario, arms[at]!, sessions[at]!, options.signal)),
    acknowledged: () => new Map(arms.map(({ name }, at) => [name, sessions[at]!.acknowledged?.() ?? 0])),
    close,
  };
}

/** The same system and session once more. */
function turnAgain(
  scenario: TopologyScenario,
  arm: Arm,
  session: ScenarioSession<unknown>,
  signal: AbortSignal,
): ReadyArm {
  return readyArm(scenario, { ...arm, name: againName(arm.name) }, session, signal);
}

function readyArm(
  scenario: TopologyScenario,
  arm: Arm,
  session: ScenarioSession<unknown>,
  signal: AbortSignal,
): ReadyArm {
  return {
    name: arm.name,
    watch: {
      processes: () => Object.fromEntries(arm.system.describe().processes.map(({ name, pid }) => [name, pid])),
      directory: arm.system.runDirectory,
      durability: () => readDurability(arm.system),
    },
    turn: async (place, note) => {
      const measurement = await measureOnce({ scenario, arm, session, signal }, place);
      note(describeTurn(scenario, measurement));
      return measurement;
    },
  };
}

interface Turn {
  scenario: TopologyScenario;
  arm: Arm;
  session: ScenarioSession<unknown>;
  signal: AbortSignal;
}

/**
 * One arm's turn, which leaves no vacuum to the turns behind it. A failure discards the turn and not the run; an abort
 * ends the run.
 */
async function measureOnce({ scenario, arm, session, signal }: Turn, place: Place): Promise<Measurement> {
  const startedAt = new Date();
  const base = { scenario: scenario.turn.name, arm: arm.name, ...place, startedAt: startedAt.toISOString() };
  const seconds = () => (Date.now() - startedAt.getTime()) / 1e3;
  try {
    const data = await session.measure(place.round);
    const durationS = seconds();
    if (scenario.writes) await vacuum(serverDsns(arm.system));
    const reasons = scenario.judge(data);
    return { ...base, durationS, verdict: reasons.length === 0 ? 'VALID' : 'DISCARDED', reasons, data };
  } catch (error) {
    signal.throwIfAborted();
    const reason = `failed: ${error instanceof Error ? error.message : String(error)}`;
    return { ...base, durationS: seconds(), verdict: 'DISCARDED', reasons: [reason], data: null };
  }
}

function describeTurn(scenario: TopologyScenario, { arm, verdict, reasons, data, durationS }: Measurement): string {
  if (verdict === 'DISCARDED') return `${arm}: DISCARDED, ${reasons.join('; ')}`;
  return `${arm}: ${scenario.describeTurn?.(data) ?? `${durationS.toFixed(1)} s`}`;
}
