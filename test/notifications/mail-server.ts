import type { AddressInfo } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

/** What the server does with a mail; `hold` takes it and never answers. */
export type MailMode = 'take' | 'busy' | 'unknown-user' | 'refuse-content' | 'hold' | 'greet-late';

export interface TestMailServer {
  url: string;
  port: number;
  mode: MailMode;
  mails: (ParsedMail & { to: string })[];
  /** Mails by their Message-ID. */
  byId(): Map<string, number>;
  close(): Promise<void>;
}

/** An SMTP server on a free port, or on `port`, which can be told to misbehave. */
export async function startMailServer(port = 0): Promise<TestMailServer> {
  const mails: TestMailServer['mails'] = [];
  const answer = (code: number, text: string) => Object.assign(new Error(text), { responseCode: code });
  const smtp = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    logger: false,
    onConnect: (_session, callback) => {
      if (server.mode !== 'greet-late') callback();
    },
    onRcptTo: (_address, _session, callback) => {
      if (server.mode === 'busy') callback(answer(450, 'mailbox busy'));
      else if (server.mode === 'unknown-user') callback(answer(550, 'no such user'));
      else callback();
    },
    onData: async (stream, _session, callback) => {
      const mail = await simpleParser(stream);
      if (server.mode === 'refuse-content') return callback(answer(554, 'content refused'));
      mails.push(Object.assign(mail, { to: [mail.to].flat()[0]!.text }));
      if (server.mode !== 'hold') callback();
    },
  });
  smtp.on('error', () => {});
  await new Promise<void>((resolve) => smtp.listen(port, '127.0.0.1', resolve));
  const address = smtp.server.address() as AddressInfo;
  const server: TestMailServer = {
    url: `smtp://127.0.0.1:${address.port}`,
    port: address.port,
    mode: 'take',
    mails,
    byId: () => {
      const counts = new Map<string, number>();
      for (const { messageId = '' } of mails) counts.set(messageId, (counts.get(messageId) ?? 0) + 1);
      return counts;
    },
    close: async () => {
      for (const connection of smtp.connections) connection.close();
      await new Promise<void>((resolve) => smtp.close(resolve));
    },
  };
  return server;
}
