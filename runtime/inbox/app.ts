import express, { type Express, type Request, type Response, Router } from 'express';
import type { Logger } from 'pino';
import { html } from '../../kernel/html.ts';
import { sendData, sendList } from '../../kernel/http/envelope.ts';
import { AppError } from '../../kernel/http/errors.ts';
import { healthRouter } from '../../kernel/http/health.ts';
import { errorHandler, methodNotAllowed, notFound } from '../../kernel/http/middleware.ts';
import { onlyPage } from '../../kernel/http/page.ts';
import { requestId } from '../../kernel/http/request-id.ts';
import type { Messages } from './messages.ts';

export interface InboxAppOptions {
  messages: Messages;
  logger: Logger;
  now(): Date;
}

/** A page with what came, the same as JSON, and a place to which webhooks can be sent. */
export function createInboxApp(options: InboxAppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use(requestId);
  app.use(healthRouter([], 1_000));
  app.use(messageRoutes(options));
  app.use(notFound);
  app.use(errorHandler(options.logger));
  return app;
}

function messageRoutes({ messages, now }: InboxAppOptions): Router {
  const router = Router();
  const get = (path: string, answer: (request: Request, response: Response) => void): void => {
    router.route(path).get(answer).all(methodNotAllowed('GET', 'HEAD'));
  };
  get('/', (_request, response) => sendPage(response, overview(messages)));
  get('/mails', (_request, response) => sendList(response, 'mail', messages.mails, onlyPage));
  get('/webhooks', (_request, response) => sendList(response, 'webhook', messages.webhooks, onlyPage));
  get('/mails/:id', (request, response) => {
    const mail = messages.mails.find(({ messageId }) => messageId === `<${request.params.id}>`);
    if (!mail) throw new AppError('not_found', 'No such mail: it never came, or it was pushed out by newer ones.');
    sendPage(response, mail.html ?? html`<pre>${mail.text}</pre>`.toString());
  });
  router
    .route('/webhooks/:name')
    .post(express.text({ type: () => true, limit: '1mb' }), (request: Request, response: Response) => {
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      messages.addWebhook({
        receivedAt: now().toISOString(),
        name: String(request.params.name),
        headers,
        body: typeof request.body === 'string' ? request.body : '',
      });
      sendData(response, 'webhook', { received: true });
    })
    .all(methodNotAllowed('POST'));
  return router;
}

/** What a mail brings along must neither run nor load anything. */
function sendPage(response: Response, page: string): void {
  response.setHeader('Content-Security-Policy', "sandbox; default-src 'none'; style-src 'unsafe-inline'");
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.type('html').send(page);
}

function overview({ mails, webhooks }: Messages): string {
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Inbox of the lab</title></head>
<body style="font-family: sans-serif">
<h1>Mails</h1>
<table>
${mails.map(
  (mail) => html`<tr><td>${mail.receivedAt}</td><td>${mail.to.join(', ')}</td>
<td><a href="/mails/${encodeURIComponent(mail.messageId.slice(1, -1))}">${mail.subject}</a></td></tr>\n`,
)}</table>
<h1>Webhooks</h1>
<table>
${webhooks.map(
  ({ receivedAt, name, body }) => html`<tr><td>${receivedAt}</td><td>${name}</td><td><code>${body}</code></td></tr>\n`,
)}</table>
</body>
</html>
`.toString();
}
