import { BrokenCircuitError, CircuitState, CountBreaker, circuitBreaker, handleWhenResult } from 'cockatiel';
import type { Answer } from '../../kernel/http/call-provider.ts';

export interface Breaker {
  /** @returns undefined where the request is kept away. */
  run(exchange: () => Promise<Answer>): Promise<Answer | undefined>;
  isAway(): boolean;
}

export interface BreakerOptions {
  /** How long requests are kept away, before one is let through to see. */
  breakMs: number;
  nowMs: () => number;
  onChange(isOpen: boolean): void;
}

/** Opens when 60 % of the last ten requests had no answer that says anything, and lets one through to see after a while. */
export function createBreaker({ breakMs, nowMs, onChange }: BreakerOptions): Breaker {
  const policy = circuitBreaker(
    handleWhenResult((answer) => (answer as Answer).kind === 'unknown'),
    // It opens above the threshold, so that six of ten have to be enough.
    { halfOpenAfter: breakMs, breaker: new CountBreaker({ threshold: 0.59, size: 10, minimumNumberOfCalls: 10 }) },
  );
  let openUntilMs = 0;
  policy.onBreak(() => {
    openUntilMs = nowMs() + breakMs;
    onChange(true);
  });
  policy.onReset(() => onChange(false));
  return {
    async run(exchange) {
      try {
        return await policy.execute(exchange);
      } catch (error) {
        if (error instanceof BrokenCircuitError) return undefined;
        throw error;
      }
    },
    isAway: () => {
      if (policy.state === CircuitState.HalfOpen) return true;
      return policy.state === CircuitState.Open && nowMs() < openUntilMs;
    },
  };
}
