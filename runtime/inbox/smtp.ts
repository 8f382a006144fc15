import type { AddressInfo } from 'node:net';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import type { Messages } from './messages.ts';

const maxMailBytes = 1024 * 1024;

/** A mail server that keeps what it takes and sends nothing on. */
export interface MailServer {
  port: number;
  close(): Promise<void>;
}

export async function startMailServer(
  options: { host: string; port: number; now(): Date },
  messages: Messages,
): Promise<MailServer> {
  const server = new SMTPServer({
    // It listens on loopback and has no certificate that a client could trust.
    disabledCommands: ['AUTH', 'STARTTLS'],
    size: maxMailBytes,
    logger: false,
    onData: (stream, session, callback) => {
      simpleParser(stream).then(
        (mail) => {
          messages.addMail({
            messageId: mail.messageId ?? '',
            receivedAt: options.now().toISOString(),
            from: session.envelope.mailFrom ? session.envelope.mailFrom.address : '',
            to: session.envelope.rcptTo.map(({ address }) => address),
            subject: mail.subject ?? '',
            text: mail.text ?? '',
            html: typeof mail.html === 'string' ? mail.html : null,
            headers: Object.fromEntries(
              mail.headerLines.map(({ key, line }) => [key, line.slice(key.length + 1).trim()]),
            ),
          });
          callback();
        },
        (error) => callback(error),
      );
    },
  });
  // A client that breaks off is no reason to end.
  server.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.server.address() as AddressInfo;
  return { port, close: () => new Promise((resolve) => server.close(resolve)) };
}
