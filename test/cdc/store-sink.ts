import { setTimeout as delay } from 'node:timers/promises';
import { type Sink, SinkError } from '../../stream/sink.ts';

/** Delivers to `startStore` of another process, and repeats as the sink's contract says. */
export function createStoreSink(url: string): Sink {
  return {
    write: async (batch, token, signal) => {
      const body = batch
        .map(
          ({ envelope, times }) =>
            `${JSON.stringify({ envelope: { ...envelope, sequence: `${envelope.sequence}` }, times })}\n`,
        )
        .join('');
      for (;;) {
        signal?.throwIfAborted();
        const answer = await fetch(url, {
          method: 'POST',
          body,
          headers: { token },
          ...(signal && { signal }),
        }).catch(() => undefined);
        if (answer?.status === 200) return;
        if (answer?.status === 422) throw new SinkError(await answer.text());
        await delay(50, undefined, signal && { signal });
      }
    },
    close: async () => {},
  };
}
