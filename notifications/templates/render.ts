import { html } from '../../kernel/html.ts';
import type { Language, NotificationData } from '../notification.ts';
import { subjects } from '../subjects.ts';
import { showIn } from './show.ts';

export interface RenderedMail {
  subject: string;
  text: string;
  html: string;
}

const footers: Readonly<Record<Language, string>> = {
  en: 'You get this mail because notifications by e-mail are on for your account.',
  de: 'Sie erhalten diese E-Mail, weil Benachrichtigungen per E-Mail für Ihr Konto eingeschaltet sind.',
};

/** A mail as text and as HTML. @throws RangeError for a type without a template. */
export function renderMail(type: string, language: Language, data: NotificationData): RenderedMail {
  const template = subjects.find((subject) => subject.type === type)?.template;
  if (!template) throw new RangeError(`no template for ${type}`);
  const { subject, paragraphs, details } = template[language](data, showIn(language));
  const footer = footers[language];
  const width = Math.max(...details.map(([label]) => label.length));
  const rows = details.map(([label, value]) => `${`${label}:`.padEnd(width + 2)}${onOneLine(value)}`);
  const page = html`<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><title>${onOneLine(subject)}</title></head>
<body style="font-family: sans-serif; color: #1a1a1a">
${paragraphs.map((paragraph) => html`<p>${paragraph}</p>\n`)}<table>
${details.map(([label, value]) => html`<tr><th align="left">${label}</th><td>${value}</td></tr>\n`)}</table>
<p style="color: #666"><small>${footer}</small></p>
</body>
</html>
`;
  return {
    subject: onOneLine(subject),
    text: `${[...paragraphs, rows.join('\n'), footer].join('\n\n')}\n`,
    html: page.toString(),
  };
}

/** A value with a line break in it must begin neither another header nor another line of the table. */
function onOneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}
