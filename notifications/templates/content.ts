import type { Language, NotificationData } from '../notification.ts';
import type { Show } from './show.ts';

/** What a mail says, as plain text; the layout makes text and HTML from it, and escapes it there. */
export interface Content {
  subject: string;
  /** A paragraph each. */
  paragraphs: string[];
  /** Label and value. */
  details: [string, string][];
}

/** One function for each language, so that a missing translation does not compile. */
export type Template = Readonly<Record<Language, (data: NotificationData, show: Show) => Content>>;
