import type { Client } from 'pg';
import { conversions } from '../../../kernel/topology.ts';
import { lockOutOthers } from '../convert.ts';
import { rested } from '../copy.ts';
import { Pace } from '../pace.ts';
import {
  ConversionRefused,
  type ConversionState,
  type DiskSpace,
  readState,
  refuseAfterAbort,
  refuseSecondStart,
} from '../preflight.ts';
import { captureChanges } from '../prepare.ts';
import { openSession } from '../session.ts';
import { countDeliveries, measureThroughput, rateBetween } from '../throughput.ts';
import { abortMove } from './abort.ts';
import { afterSwitch } from './after-switch.ts';
import { makeWorkerSlots, readSlots, workerDsns } from './cdc.ts';
import { type Comparison, compareSides } from './compare.ts';
import type { CitusConvertOptions } from './options.ts';
import { checkSource, checkSpace, expectEmpty, placeOf, prepareTarget } from './preflight.ts';
import { createState, makeDays } from './prepare.ts';
import { type CitusConversionResult, describe } from './result.ts';
import { type Sides, takeStep } from './step.ts';
import { switchOver } from './switch.ts';
import { readTables } from './tables.ts';

/**
 * Moves a partitioned database to a Citus cluster while it is in use: copies in batches, brings over what changes
 * meanwhile, compares, and switches in one short transaction that fences the old database. A call that was killed can
 * be resumed, or undone until the switch.
 * @throws ConversionRefused when it can't begin or go on in this way.
 */
export async function convertToCitus(options: CitusConvertOptions): Promise<CitusConversionResult> {
  const source = await openSession(options.sourceDsn);
  try {
    await lockOutOthers(source);
    return await run(source, options);
  } finally {
    await source.end();
  }
}

async function run(source: Client, options: CitusConvertOptions): Promise<CitusConversionResult> {
  const started = performance.now();
  const { action } = options;
  const state = await readState(source, conversions.toCluster.to);
  refuseAfterAbort(state, action);
  if (action === 'abort') return abort(source, options, state, started);
  if (action === 'start') {
    refuseSecondStart(state, conversions.toCluster.to);
    await checkSource(source);
  } else if (!state) {
    throw new ConversionRefused(`There is no conversion to ${action}.`);
  }
  if (action === 'finish' && state?.phase !== 'switched')
    throw new ConversionRefused('The switch is still to come: --resume.');
  const targetDsn = await options.openTarget();
  if (state && state.targetDatabase !== placeOf(targetDsn)) {
    throw new ConversionRefused(
      `The conversion that is under way goes to ${state.targetDatabase}, not to ${placeOf(targetDsn)}: name that one, or undo it with --abort.`,
    );
  }
  const target = await openSession(targetDsn);
  try {
    // Two sources must not fill one cluster.
    await lockOutOthers(target);
    const moved = state?.phase === 'switched' ? undefined : await move(source, target, { ...options, targetDsn });
    const { phase, cdc, afterPerSecond } = await afterSwitch({ source, target, targetDsn }, options);
    const report = await describe(source);
    const { compared = null, disk = null, duringPerSecond = null } = moved ?? {};
    if (phase === 'finished') {
      await options.onFinished?.();
      await source.query('drop schema conversion cascade');
    }
    return {
      ...report,
      phase,
      durationMs: performance.now() - started,
      cdc,
      compared,
      disk,
      throughput: { ...report.throughput, duringPerSecond, afterPerSecond },
    };
  } finally {
    await target.end();
  }
}

async function abort(
  source: Client,
  options: CitusConvertOptions,
  state: ConversionState | undefined,
  started: number,
): Promise<CitusConversionResult> {
  if (!state) {
    // A cluster may have been started, and the rest not begun.
    await options.discardTarget?.();
    throw new ConversionRefused('There is no conversion to undo.');
  }
  if (state.phase === 'switched')
    throw new ConversionRefused('The switch is done; it can only be carried through: --resume.');
  const report = await describe(source);
  await abortMove(source, state, options);
  return { ...report, phase: 'aborted', durationMs: performance.now() - started };
}

/** Everything up to and with the switch. */
async function move(
  source: Client,
  target: Client,
  options: CitusConvertOptions & { targetDsn: string },
): Promise<{ compared: Comparison[]; disk: DiskSpace | null; duringPerSecond: number }> {
  const { progress, targetDsn, signal } = options;
  await prepareTarget(target, targetDsn);
  let disk: DiskSpace | null = null;
  if (options.action === 'start') {
    await expectEmpty(target, targetDsn);
    disk = await checkSpace(source, target, options.measureFree);
    progress('measuring the throughput before');
    const beforePerSecond = await measureThroughput(options.sourceDsn, options.measureMs);
    await createState(source, placeOf(targetDsn), beforePerSecond);
  }
  const from = await countDeliveries(options.sourceDsn);
  await captureChanges(source, options);
  const sides: Sides = { source, target, tables: await readTables(source, target, options.batchRows) };
  await makeDays(sides, progress, signal);
  await copyTables(sides, options);
  progress('comparing both sides');
  let compared: Comparison[] = [];
  await takeStep(sides, {
    signal,
    within: async () => {
      compared = await compareSides(sides);
    },
  });
  for (const slot of await readSlots(source)) await makeWorkerSlots(slot, await workerDsns(target, targetDsn));
  const duringPerSecond = rateBetween(from, await countDeliveries(options.sourceDsn));
  await options.beforeSwitch?.();
  signal?.throwIfAborted();
  progress('switching');
  await switchOver(sides, { ...options, newHome: placeOf(targetDsn) });
  progress('switched: the old database takes no more writes');
  return { compared, disk, duringPerSecond };
}

async function copyTables(sides: Sides, options: CitusConvertOptions): Promise<void> {
  const { progress, signal } = options;
  let reported = performance.now();
  const { rows } = await sides.source.query<{ name: string }>(
    'select table_name as name from conversion.tables where not copied',
  );
  const left = new Set(rows.map(({ name }) => name));
  const pace = new Pace(options.duty);
  for (const table of sides.tables.filter(({ name }) => left.has(name))) {
    for (let read = table.batchRows; read === table.batchRows; ) {
      signal?.throwIfAborted();
      const step = await rested(options, () => takeStep(sides, { next: table, signal }));
      pace.add(step.round);
      read = step.read;
      if (performance.now() - reported > 2_000) {
        progress(await describeProgress(sides.source, table.name));
        reported = performance.now();
      }
    }
    progress(`${await describeProgress(sides.source, table.name)}, complete`);
  }
}

async function describeProgress(source: Client, table: string): Promise<string> {
  const { rows } = await source.query<{ rows: number; copied: number; changes: number; seconds: number }>(
    `select (select rows_copied from conversion.tables where table_name = $1)::float8 as rows,
            sum(rows_copied)::float8 as copied, sum(changes_applied)::float8 as changes,
            (select extract(epoch from clock_timestamp() - started_at) from conversion.state)::float8 as seconds
     from conversion.tables`,
    [table],
  );
  const { rows: ofTable, copied, changes, seconds } = rows[0]!;
  return `${table}: ${ofTable} rows; in all ${copied} rows and ${changes} changes, ${Math.round((copied + changes) / seconds)}/s`;
}
