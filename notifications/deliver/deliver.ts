import type { Logger } from 'pino';
import { pause } from '../../kernel/wait.ts';
import type { Channel, Claimed, Outcome } from '../notification.ts';
import type { Queue } from '../queue/queue.ts';
import { pauseSeconds } from './backoff.ts';

export interface DelivererOptions {
  channel: Channel;
  queue: Queue;
  /** One try. Never rejects, and ends within the time of a claim. */
  send(notification: Claimed): Promise<Outcome>;
  /** Notifications that are sent at one time. */
  concurrency: number;
  maxAttempts: number;
  backoffMs: number;
  /** Longer than a try may take. */
  leaseSeconds: number;
  /** Pause between two looks for notifications that are due. */
  pollMs: number;
  random(): number;
  logger: Logger;
  onOutcome(channel: Channel, outcome: Outcome['kind'] | 'dead'): void;
}

export interface Deliverer {
  /** Works until the signal aborts, then lets the tries in hand end. */
  run(signal: AbortSignal): Promise<void>;
  /** Something may be due now. */
  wake(): void;
  /** Why nothing is sent at the moment; null where nothing stands in the way. */
  outage(): string | null;
}

const firstOutagePauseMs = 1_000;
const longestOutagePauseMs = 30_000;

/**
 * Takes notifications of one channel from the queue and sends them. While what all of them need is away, one at a time
 * is tried, with growing pauses, and no try is counted.
 */
export function createDeliverer(options: DelivererOptions): Deliverer {
  const { channel, queue, concurrency, logger } = options;
  const inHand = new Set<Promise<void>>();
  let wakened = Promise.withResolvers<void>();
  let outage: string | null = null;
  let outages = 0;

  const wake = (): void => wakened.resolve();

  async function run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', wake);
    while (!signal.aborted) {
      wakened = Promise.withResolvers<void>();
      const taken = await take();
      for (const notification of taken) start(notification);
      if (outage !== null && inHand.size > 0) await Promise.all(inHand);
      if (outage !== null) await pause(outagePauseMs(outages, options.random), signal);
      else if (inHand.size >= concurrency) await Promise.race(inHand);
      else if (taken.length === 0) await Promise.race([wakened.promise, pause(options.pollMs, signal)]);
    }
    await Promise.all(inHand);
  }

  async function take(): Promise<Claimed[]> {
    const room = outage === null ? concurrency - inHand.size : 1;
    if (room <= 0) return [];
    try {
      return await queue.claim(channel, room, options.leaseSeconds);
    } catch (error) {
      logger.warn({ err: error, channel }, 'notifications could not be claimed');
      return [];
    }
  }

  function start(notification: Claimed): void {
    const work = handle(notification).catch((error) => {
      // The claim runs out, and the notification is tried again.
      logger.warn({ err: error, channel, notification: notification.notificationId }, 'an outcome was not stored');
    });
    inHand.add(work);
    void work.then(() => inHand.delete(work));
  }

  async function handle(notification: Claimed): Promise<void> {
    const outcome = await options.send(notification);
    if (outcome.kind === 'outage') {
      if (outage === null) logger.warn({ channel, reason: outcome.reason }, 'nothing can be sent; trying again');
      outage = outcome.reason;
      outages += 1;
    } else {
      if (outage !== null) logger.info({ channel }, 'sending again');
      outage = null;
      outages = 0;
    }
    const ended = await record(options, notification, outcome);
    options.onOutcome(channel, ended);
  }

  return { run, wake, outage: () => outage };
}

function outagePauseMs(outages: number, random: () => number): number {
  const whole = Math.min(longestOutagePauseMs, firstOutagePauseMs * 2 ** Math.max(0, outages - 1));
  return whole * (0.5 + random() / 2);
}

/** Stores what became of a try. @returns `dead` where it was the last one. */
async function record(
  { queue, maxAttempts, backoffMs, random, logger, channel }: DelivererOptions,
  notification: Claimed,
  outcome: Outcome,
): Promise<Outcome['kind'] | 'dead'> {
  const { notificationId, recipientId, attempts } = notification;
  switch (outcome.kind) {
    case 'sent':
      if (!(await queue.finish(notification, 'sent', null, true))) {
        logger.warn({ channel, notification: notificationId }, 'sent after its claim had run out: it may come twice');
      }
      return 'sent';
    case 'canceled':
      await queue.finish(notification, 'canceled', 'the recipient is not there any more', false);
      return 'canceled';
    case 'outage':
      await queue.tryLater(notification, 0, outcome.reason, false);
      return 'outage';
    case 'refused':
      if (outcome.disable) await queue.disableEndpoint(recipientId);
      await queue.finish(notification, 'dead', outcome.reason, true);
      logger.warn({ channel, notification: notificationId, reason: outcome.reason }, 'refused: a dead letter');
      return 'refused';
    case 'failed':
      if (attempts + 1 >= maxAttempts) {
        await queue.finish(notification, 'dead', outcome.reason, true);
        logger.warn({ channel, notification: notificationId, reason: outcome.reason }, 'given up: a dead letter');
        return 'dead';
      }
      await queue.tryLater(notification, pauseSeconds(attempts, backoffMs, random), outcome.reason, true);
      return 'failed';
  }
}
