import { createSigners } from '../../../simulator/delivery/sign.ts';
import { type PreparedWebhook, prepareWebhook } from '../../../simulator/driver/prepare.ts';
import { createWorkload, type PlannedWebhook } from '../../../simulator/workload/workload.ts';

/** The deliveries of one arm, in the workload's order over all phases and rounds. */
export interface WebhookSource {
  /** Plans and signs `count` deliveries, so that a measured phase does not pay for the provider's work. */
  prepare(count: number): Promise<void>;
  /** The next delivery; signed on the spot when more are asked for than were prepared. */
  next(): PreparedWebhook;
}

export interface WebhookSourceOptions {
  seed: number;
  /** The same for every arm of a comparison: the arms get the same bytes, signatures aside. */
  run: string;
  startTimeMs: number;
  secrets: { silvergate: string; stripe: string; adyen: string };
  now: () => Date;
}

/** Deliveries that are signed between two turns of the event loop, so that sockets and timers stay alive. */
const slice = 500;

export function createWebhookSource(options: WebhookSourceOptions): WebhookSource {
  const { seed, run, startTimeMs, now } = options;
  const workload = createWorkload({ seed, run, startTimeMs });
  const signers = createSigners(options.secrets);
  let prepared: PreparedWebhook[] = [];
  let taken = 0;
  return {
    prepare: async (count) => {
      // What a phase left over keeps its place in the order, and gets a signature that is valid now.
      const left: PlannedWebhook[] = prepared.slice(taken).map(({ webhook }) => webhook);
      prepared = [];
      taken = 0;
      for (let at = 0; at < Math.max(count, left.length); at += 1) {
        prepared.push(prepareWebhook(left[at] ?? workload.next(), signers, now()));
        if (at % slice === slice - 1) await new Promise((resolve) => setImmediate(resolve));
      }
    },
    next: () => {
      const webhook = prepared[taken];
      taken += 1;
      return webhook ?? prepareWebhook(workload.next(), signers, now());
    },
  };
}
