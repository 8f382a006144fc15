import { createTransport } from 'nodemailer';
import { within } from '../../kernel/wait.ts';
import type { Claimed, Outcome } from '../notification.ts';
import { renderMail } from '../templates/render.ts';
import { outcomeOf } from './outcome.ts';

export interface MailerOptions {
  smtpUrl: string;
  from: string;
  /** For one mail, from the connection to the server's answer. */
  timeoutMs: number;
}

/**
 * Sends mails, each over a connection of its own: a pool would keep mails that this process has given up, and send them
 * behind its back.
 */
export function createMailer({ smtpUrl, from, timeoutMs }: MailerOptions): (mail: Claimed) => Promise<Outcome> {
  const transport = createTransport({
    url: smtpUrl,
    connectionTimeout: timeoutMs / 2,
    greetingTimeout: timeoutMs / 2,
    // Ends what this process has given up, and is never the first to say so.
    socketTimeout: timeoutMs * 2,
    // Content comes from templates only: no file and no URL may get into a mail.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const domain = from.slice(from.lastIndexOf('@') + 1).replace(/[^\w.-]/g, '');

  return async (notification) => {
    const { notificationId, email, type, language, data, occurredAt } = notification;
    if (email === null) return { kind: 'canceled' };
    try {
      const { subject, text, html } = renderMail(type, language, data);
      const sending = transport.sendMail({
        // Objects, so that no part of an address is read as another one.
        from: { name: '', address: from },
        to: { name: '', address: email },
        subject,
        text,
        html,
        date: new Date(occurredAt),
        messageId: `<${notificationId}@${domain}>`,
        headers: {
          'Auto-Submitted': 'auto-generated',
          'Content-Language': language,
          'X-Notification-Type': type,
        },
      });
      await within(timeoutMs, sending, () => Object.assign(new Error('no answer in time'), { code: 'ENOANSWER' }));
      return { kind: 'sent' };
    } catch (error) {
      const outcome = outcomeOf(error);
      if (outcome.kind !== 'outage' || !(await isUp())) return outcome;
      // A connection that broke behind the content looks like one that was never made: the server may have the mail.
      return { kind: 'failed', reason: outcome.reason };
    }
  };

  /** Whether the server begins a session, with the login where there is one. */
  function isUp(): Promise<boolean> {
    return within(timeoutMs, transport.verify()).then(
      () => true,
      () => false,
    );
  }
}
