import { connect, type Socket } from 'node:net';
import { Kafka, logLevel } from 'kafkajs';
import type { Logger } from 'pino';
import { mendRequestTimers } from './kafkajs-timers.ts';

export interface SessionOptions {
  brokers: readonly string[];
  clientId: string;
  logger: Logger;
  connectTimeoutMs: number;
  requestTimeoutMs: number;
}

/**
 * One kafkajs instance that can be ended for good. kafkajs goes on with its retries after the caller has given up,
 * and keeps the offsets of a group in one place for all consumers of an instance; so the adapter uses an instance for
 * one producer or one membership, and cuts it when that is over.
 */
export interface Session {
  kafka: Kafka;
  /** Closes all connections, and opens no other: nothing more is written, whatever kafkajs still wants to repeat. */
  cut(): void;
}

export function openSession(options: SessionOptions): Session {
  mendRequestTimers();
  const sockets = new Set<Socket>();
  let isCut = false;
  const kafka = new Kafka({
    brokers: [...options.brokers],
    clientId: options.clientId,
    connectionTimeout: options.connectTimeoutMs,
    requestTimeout: options.requestTimeoutMs,
    enforceRequestTimeout: true,
    // kafkajs has other defaults when NODE_ENV is "test"; and the caller repeats by itself, with its own deadline.
    retry: { retries: 1, initialRetryTime: 50, maxRetryTime: 200, factor: 0.2, multiplier: 2 },
    // What kafkajs calls an error is a broken connection that is about to be repaired: the adapter reports what
    // matters.
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ namespace, log }) => {
        const { message, error } = log as { message: string; error?: unknown };
        options.logger.debug({ namespace, error }, message);
      },
    socketFactory: ({ host, port, onConnect }) => {
      if (isCut) throw new Error('this session has ended');
      const socket = connect({ host, port }, onConnect);
      socket.setKeepAlive(true, 60_000);
      socket.setNoDelay(true);
      // kafkajs calls `unref` on dead connections again and again, and Node then waits for each to connect.
      socket.setMaxListeners(0);
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      return socket;
    },
  });
  return {
    kafka,
    cut: () => {
      isCut = true;
      // Only with an error does kafkajs notice, and fail the requests that wait.
      for (const socket of sockets) socket.destroy(new Error('this session has ended'));
    },
  };
}
