import { serverDsns } from '../measure/servers.ts';
import { vacuum } from '../measure/vacuum.ts';
import { scenarios } from '../scenarios/registry.ts';
import type { Arm, Scenario, ScenarioName, ScenarioOptions, ScenarioSession } from '../scenarios/scenario.ts';
import type { Measurement } from '../schema/run.ts';

export interface OpenScenario {
  name: ScenarioName;
  sessions: Map<string, ScenarioSession<unknown>>;
}

/**
 * Prepares a scenario on every arm: side by side, since nothing is measured yet.
 * @throws the first error, after all arms have come to an end of it.
 */
export async function openScenario(
  name: ScenarioName,
  arms: readonly Arm[],
  options: ScenarioOptions,
): Promise<OpenScenario> {
  const scenario = scenarios[name] as Scenario<ScenarioName>;
  const opened = await Promise.allSettled(arms.map((arm) => scenario.open(arm, options)));
  const sessions = new Map<string, ScenarioSession<unknown>>();
  for (const [at, result] of opened.entries()) {
    if (result.status === 'fulfilled') sessions.set(arms[at]!.name, result.value as ScenarioSession<unknown>);
  }
  const failed = opened.find((result) => result.status === 'rejected');
  if (failed) {
    await closeScenario({ name, sessions });
    throw failed.reason;
  }
  return { name, sessions };
}

export async function closeScenario(open: OpenScenario): Promise<void> {
  await Promise.allSettled([...open.sessions.values()].map((session) => session.close()));
}

/** The arms in the order of a round: each round begins with another one, so that none always follows the same. */
export function orderOfRound<T>(arms: readonly T[], round: number): T[] {
  const first = (round - 1) % Math.max(arms.length, 1);
  return [...arms.slice(first), ...arms.slice(0, first)];
}

/** One arm's turn, which leaves no vacuum to the turns behind it. A failure discards the turn and not the run; an abort ends the run. */
export async function measureOnce(
  open: OpenScenario,
  arm: Arm,
  turn: { round: number; position: number },
  signal: AbortSignal,
): Promise<Measurement> {
  const session = open.sessions.get(arm.name)!;
  const startedAt = new Date();
  const base = { scenario: open.name, arm: arm.name, ...turn, startedAt: startedAt.toISOString() };
  const seconds = () => (Date.now() - startedAt.getTime()) / 1e3;
  try {
    const data = await session.measure(turn.round);
    const durationS = seconds();
    // A turn of `timeline` writes nothing.
    if (open.name !== 'timeline') await vacuum(serverDsns(arm.system));
    const reasons = session.judge(data);
    const verdict = reasons.length === 0 ? 'VALID' : 'DISCARDED';
    return { ...base, durationS, verdict, reasons, data } as Measurement;
  } catch (error) {
    signal.throwIfAborted();
    const reason = `failed: ${error instanceof Error ? error.message : String(error)}`;
    return { ...base, durationS: seconds(), verdict: 'DISCARDED', reasons: [reason], data: null } as Measurement;
  }
}
