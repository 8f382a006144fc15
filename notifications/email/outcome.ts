import type { Outcome } from '../notification.ts';

/** What nodemailer says of a failure: https://nodemailer.com/errors */
interface SmtpFailure {
  code?: string;
  /** The server's answer, as in 550. */
  responseCode?: number;
  response?: string;
  /** What was answered, as in `RCPT TO`. */
  command?: string;
}

/**
 * What a failure means for the mail. What the server says of this recipient or this content concerns this mail; anything
 * else, such as a connection that fails or a login that is refused, may concern all of them. Where no answer came in time,
 * the server may have the mail: it is tried again, with the same Message-ID.
 */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof RangeError) return { kind: 'refused', reason: error.message };
  const { code, responseCode = 0, response, command = '' } = error as SmtpFailure;
  const reason = response ?? (error instanceof Error ? error.message : String(error));
  const aboutThisMail = (code === 'EENVELOPE' && command.startsWith('RCPT')) || code === 'EMESSAGE';
  if (code === 'ENOANSWER') return { kind: 'failed', reason };
  if (responseCode === 421 || (!aboutThisMail && command !== 'DATA')) return { kind: 'outage', reason };
  if (responseCode >= 500) return { kind: 'refused', reason };
  return { kind: 'failed', reason };
}
