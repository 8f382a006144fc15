/** Writes the line of that kind now, or counts it. */
export type LineLimit = (kind: string, write: () => void) => void;

const windowMs = 1_000;

/**
 * At most `perSecond` lines of a kind in a second. How many more there would have been is told when the second is over,
 * so that a log neither fills a disk nor hides how much happened.
 */
export function createLineLimit(perSecond: number, onOmitted: (kind: string, count: number) => void): LineLimit {
  const windows = new Map<string, { written: number; omitted: number }>();

  function open(kind: string): { written: number; omitted: number } {
    const window = { written: 0, omitted: 0 };
    windows.set(kind, window);
    const close = (): void => {
      windows.delete(kind);
      if (window.omitted > 0) onOmitted(kind, window.omitted);
    };
    setTimeout(close, windowMs).unref();
    return window;
  }

  return (kind, write) => {
    const window = windows.get(kind) ?? open(kind);
    if (window.written < perSecond) {
      window.written += 1;
      write();
    } else {
      window.omitted += 1;
    }
  };
}
