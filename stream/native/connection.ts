import { Client, type Connection } from 'pg';
import { formatLsn, type Lsn } from '../../kernel/postgres/lsn.ts';
import { pinnedSession } from '../../kernel/postgres/session-settings.ts';
import { type Keepalive, keepalive, readKeepalive, statusUpdate, xLogData } from './wire.ts';

export interface StreamOptions {
  dsn: string;
  slotName: string;
  publication: string;
  startLsn: Lsn;
  nowMs(): number;
  /** A CopyData message with an XLogData in it. The buffer must not be kept: the next messages lie beside it. */
  onData(message: Buffer): void;
  onKeepalive(message: Keepalive): void;
}

/** A running START_REPLICATION. */
export interface ReplicationStream {
  /** Settles when the stream is over: resolves never, rejects with the reason. */
  ended: Promise<never>;
  /** Tells the server how far we are. Does nothing once the stream is over. */
  confirm(lsn: Lsn): void;
  /** Stops reading the socket; the server then stops sending when its buffers are full. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

/** What `pg` has and its types don't tell. */
interface Inner {
  connection: Connection & {
    stream: { pause(): void; resume(): void; destroy(): void };
    sendCopyFromChunk(chunk: Buffer): void;
    on(name: 'copyData', listener: (message: { chunk: Buffer }) => void): void;
    once(name: 'replicationStart', listener: () => void): void;
    removeAllListeners(name: 'copyData'): void;
  };
}

/**
 * Opens a replication connection and starts to stream. @throws what the server answers, as in SQLSTATE 55006 when
 * another process reads the slot.
 */
export async function openStream(options: StreamOptions): Promise<ReplicationStream> {
  const client = replicationClient(options.dsn);
  let fail: (error: Error) => void = () => {};
  const ended = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  ended.catch(() => {});
  client.on('error', fail);
  client.on('end', () => fail(new Error('Connection terminated: the replication stream ended.')));
  await client.connect();

  const { connection } = client as unknown as Inner;
  const started = new Promise<void>((resolve) => connection.once('replicationStart', resolve));
  connection.removeAllListeners('copyData');
  connection.on('copyData', ({ chunk }) => {
    try {
      if (chunk[0] === xLogData) options.onData(chunk);
      else if (chunk[0] === keepalive) options.onKeepalive(readKeepalive(chunk));
    } catch (error) {
      fail(error as Error);
      connection.stream.destroy();
    }
  });
  // The grammar of replication commands knows its words in capitals only.
  const start = `START_REPLICATION SLOT ${quoteName(options.slotName)} LOGICAL ${formatLsn(options.startLsn)}
    (proto_version '1', publication_names '${quoteName(options.publication)}')`;
  client.query(start).then(() => fail(new Error('Connection terminated: the server ended the stream.')), fail);
  try {
    await Promise.race([started, ended]);
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
  let open = true;
  ended.catch(() => {
    open = false;
  });
  return {
    ended,
    confirm: (lsn) => {
      if (open) connection.sendCopyFromChunk(statusUpdate(lsn, options.nowMs()));
    },
    pause: () => connection.stream.pause(),
    resume: () => connection.stream.resume(),
    close: async () => {
      open = false;
      // A paused socket would never see the other side's end.
      connection.stream.resume();
      await client.end().catch(() => {});
    },
  };
}

function replicationClient(dsn: string): Client {
  return new Client({
    // `toRfc3339` relies on the form of times.
    ...pinnedSession(dsn),
    application_name: 'lab-cdc-stream',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    // A field of pg's own that its types leave out.
    ...({ replication: 'database' } as object),
  });
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
