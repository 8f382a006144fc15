/** A mail that the inbox took. */
export interface Mail {
  messageId: string;
  receivedAt: string;
  from: string;
  to: string[];
  subject: string;
  text: string;
  html: string | null;
  headers: Record<string, string>;
}

/** A webhook that the inbox took, as it came. */
export interface ReceivedRequest {
  receivedAt: string;
  /** The last part of the path, by which a merchant's requests are told apart. */
  name: string;
  headers: Record<string, string>;
  body: string;
}

/** What came, the newest first, up to a number of each. */
export class Messages {
  readonly #max: number;
  #mails: Mail[] = [];
  #webhooks: ReceivedRequest[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  get mails(): readonly Mail[] {
    return this.#mails;
  }

  get webhooks(): readonly ReceivedRequest[] {
    return this.#webhooks;
  }

  addMail(mail: Mail): void {
    this.#mails = [mail, ...this.#mails].slice(0, this.#max);
  }

  addWebhook(webhook: ReceivedRequest): void {
    this.#webhooks = [webhook, ...this.#webhooks].slice(0, this.#max);
  }
}
