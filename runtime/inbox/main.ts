import { processEnvironment } from '../../kernel/config/environment.ts';
import { loadInboxConfig } from '../../kernel/config/inbox.ts';
import { serveUntilSignal } from '../../kernel/http/serve.ts';
import { listen } from '../../kernel/http/server.ts';
import { createLogger } from '../../kernel/logging.ts';
import { createInboxApp } from './app.ts';
import { Messages } from './messages.ts';
import { startMailServer } from './smtp.ts';

/** The place where the notifications of a system that runs here arrive: mails by SMTP, webhooks by HTTP. */
const config = loadInboxConfig(processEnvironment());
const logger = createLogger({ service: 'inbox', level: config.LOG_LEVEL });
const now = (): Date => new Date();
const messages = new Messages(config.INBOX_MESSAGES_MAX);
const smtp = await startMailServer({ host: config.INBOX_HOST, port: config.INBOX_SMTP_PORT, now }, messages);
const http = await listen(createInboxApp({ messages, logger, now }), {
  host: config.INBOX_HOST,
  port: config.INBOX_PORT,
  requestTimeoutMs: 5_000,
});
serveUntilSignal(http, {
  service: 'inbox',
  config,
  logger,
  shutdown: [
    { name: 'http', run: () => http.close(1_000) },
    { name: 'smtp', run: () => smtp.close() },
  ],
});
