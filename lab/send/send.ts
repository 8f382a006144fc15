import type { DeliveryTotals } from '../../simulator/delivery/delivery.ts';
import { send } from '../../simulator/delivery/send.ts';
import { interruptible } from '../interruptible.ts';
import { print, printJson } from '../output.ts';
import type { SendFlags } from './flags.ts';
import { findTarget } from './target.ts';
import { describeResult, showProgress } from './text.ts';

/** `lab send`: sends to the system that the flags name, until all is delivered or Ctrl-C; status 1 when some was not. */
export async function sendCommand(flags: SendFlags): Promise<void> {
  const target = await findTarget(flags, new Date());
  const watch = (totals: DeliveryTotals) => showProgress(totals, flags.count);
  const result = await interruptible((signal) => send({ ...flags, ...target, watch, signal }), { signals: ['SIGINT'] });
  if (flags.json) printJson(result);
  else print(describeResult(result));
  if (!result.ok) process.exitCode = 1;
}
