/**
 * An API whose clock its parent sets: what such a process stores has the times of a past day, which is how a system gets
 * a history (`lab send --since`). The API itself knows nothing of it, so that no setting of a real one can shift a clock.
 */
const RealDate = Date;
let backMs = 0;

class PastDate extends RealDate {
  constructor(...given: unknown[]) {
    if (given.length === 0) super(RealDate.now() - backMs);
    else super(...(given as [number]));
  }

  static override now(): number {
    return RealDate.now() - backMs;
  }
}

globalThis.Date = PastDate as DateConstructor;

process.on('message', (message: { backMs?: number }) => {
  if (message.backMs === undefined) return;
  backMs = message.backMs;
  process.send?.({ backMs });
});
// It is of no use without the process that sets its clock, and an API with a wrong one must not stay.
process.on('disconnect', () => process.exit(1));

await import('../../api/main.ts');

export {};
