export const languages = ['en', 'de'] as const;
export type Language = (typeof languages)[number];

export const channels = ['email', 'webhook'] as const;
export type Channel = (typeof channels)[number];

/** What a receiver is told: fields of a mail, and `data` of a webhook. Amounts are minor units as JSON carries them. */
export type NotificationData = Readonly<Record<string, string | number | null>>;

/** A notification that this process has claimed, with what is needed to send it. */
export interface Claimed {
  /** The same at every try: receivers recognise a copy by it. */
  notificationId: string;
  /** Grows with every claim: what a process writes under an older one has no effect. */
  claims: number;
  /** Tries before this one that failed. */
  attempts: number;
  type: string;
  userId: string;
  recipientId: string;
  language: Language;
  data: NotificationData;
  /** RFC 3339. */
  occurredAt: string;
  /** Of the user, for mails; null where there is no such user. */
  email: string | null;
  /** Of the endpoint, for webhooks; null where there is none, or it is disabled. */
  endpoint: { url: string; secret: string } | null;
}

/** What became of one try. */
export type Outcome =
  | { kind: 'sent' }
  /** The receiver did not take it; it may later. */
  | { kind: 'failed'; reason: string }
  /** No repetition would help. `disable`: the endpoint has asked for no more. */
  | { kind: 'refused'; reason: string; disable?: boolean }
  /** What is needed for every notification of the channel is away: no try was made. */
  | { kind: 'outage'; reason: string }
  /** There is no recipient any more. */
  | { kind: 'canceled' };
