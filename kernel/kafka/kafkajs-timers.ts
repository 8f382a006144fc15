import { createRequire } from 'node:module';

interface RequestQueue {
  pending: unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
}

const mended = Symbol('request timers mended');
const shortestWaitMs = 10;

/**
 * kafkajs 2.2.4 asks for a timer at `throttledUntil - now` after every response, and that is -1 minus the Unix time
 * when nothing throttles: Node 24 prints a TimeoutNegativeWarning, and every response costs a timer that finds nothing
 * to do. With this method there is a timer when a request waits, and for the time that it has to wait. A request that
 * is queued later asks again, so none is forgotten.
 */
export function mendRequestTimers(): void {
  const queue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
    prototype: RequestQueue & { scheduleCheckPendingRequests(): void; [mended]?: true };
  };
  if (queue.prototype[mended]) return;
  queue.prototype[mended] = true;
  queue.prototype.scheduleCheckPendingRequests = function scheduleCheckPendingRequests(this: RequestQueue) {
    if (this.pending.length === 0 || this.throttleCheckTimeoutId) return;
    const waitMs = Math.max(this.throttledUntil - Date.now(), shortestWaitMs);
    this.throttleCheckTimeoutId = setTimeout(() => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    }, waitMs);
  };
}
