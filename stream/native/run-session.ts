import type { Lsn } from '../../kernel/postgres/lsn.ts';
import { orAborted } from '../../kernel/wait.ts';
import { loadOutbox } from './initial-load.ts';
import { readPosition } from './positions.ts';
import { openSession, type Session, type SessionOptions, type SessionState, takeTurn } from './session.ts';
import { createSlot, prepareSlot, readSystemIdentifier } from './slot.ts';
import { streamOutbox } from './stream.ts';

/** One try: from the connection to its loss. Resolves when the signal aborted and what was in hand is sunk. */
export async function runSession(
  options: SessionOptions,
  state: SessionState,
  { reload, signal }: { reload: boolean; signal: AbortSignal },
): Promise<void> {
  const session = await openSession(options, state, signal);
  try {
    await Promise.race([loadAndStream(session, reload), session.failed]);
  } finally {
    await session.end();
  }
}

async function loadAndStream(session: Session, reload: boolean): Promise<void> {
  // What comes before the stream may wait for others for as long as they like, and may simply be left.
  const startLsn = await orAborted(prepare(session, reload), session.signal);
  session.state.phase = 'streaming';
  await streamOutbox(session, startLsn);
}

/** Waits for its turn, makes slot and initial load where they are missing. @returns where the stream begins. */
async function prepare(session: Session, reload: boolean): Promise<Lsn> {
  const { options, state, control, signal } = session;
  signal.throwIfAborted();
  await takeTurn(session);
  const position = reload
    ? await createSlot(control, options.slotName, await readSystemIdentifier(control))
    : await prepareSlot(control, options, state.confirmedLsn);
  // A new slot begins a new count; what the former one had confirmed says nothing about it.
  if (position.state === 'loading') state.confirmedLsn = position.confirmedLsn!;
  signal.throwIfAborted();
  if (position.state === 'loading') await loadOutbox(session, position);
  const current = await readPosition(control, options.slotName);
  return (current ?? position).confirmedLsn!;
}
