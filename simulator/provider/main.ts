import { processEnvironment } from '../../kernel/config/environment.ts';
import { maskConfig } from '../../kernel/config/load.ts';
import { loadProviderConfig } from '../../kernel/config/provider.ts';
import { paymentProviders } from '../../kernel/contract/status.ts';
import { listen } from '../../kernel/http/server.ts';
import { shutdownOnSignal } from '../../kernel/http/shutdown.ts';
import { createLogger } from '../../kernel/logging.ts';
import { openPaymentBooks } from '../payments/books.ts';
import { createConfirmations } from '../payments/confirmations.ts';
import { createPaymentFaults } from '../payments/faults.ts';
import { paymentRouter } from '../payments/router.ts';
import { createProviderApp } from './app.ts';
import { createFaults } from './faults.ts';
import { openLedger } from './ledger.ts';

const config = loadProviderConfig(processEnvironment());
const logger = createLogger({ service: 'provider', level: config.LOG_LEVEL });
logger.info({ config: maskConfig(config) }, 'starting');

const ledger = await openLedger(config.PROVIDER_LEDGER);
const faults = createFaults(config.PROVIDER_SEED);
const now = (): Date => new Date();
const paymentBooks = {
  card: await openPaymentBooks(`${config.PROVIDER_LEDGER}.card`),
  wallet: await openPaymentBooks(`${config.PROVIDER_LEDGER}.wallet`),
};
const payments = paymentProviders.map((kind) => {
  const paymentFaults = createPaymentFaults(config.PROVIDER_SEED);
  return paymentRouter({
    kind,
    books: paymentBooks[kind],
    faults: paymentFaults,
    confirmations: createConfirmations({ secret: config.WALLET_SECRET, faults: paymentFaults, logger, now }),
    now,
    pageUrl: () => server.url,
  });
});
const app = createProviderApp({ ledger, faults, logger, now, payments });
const server = await listen(app, { host: config.PROVIDER_HOST, port: config.PROVIDER_PORT, requestTimeoutMs: 10_000 });
logger.info({ url: server.url }, 'listening');
// For a parent that opened a channel: an answer on the port alone could come from another process.
process.send?.({ listeningPort: server.port });

shutdownOnSignal({
  steps: [
    // Requests that hang on purpose would otherwise keep the process for the whole time limit.
    { name: 'server', run: () => server.close(500) },
    {
      name: 'ledger',
      run: () => Promise.all([ledger, paymentBooks.card, paymentBooks.wallet].map((books) => books.close())),
    },
  ],
  timeoutMs: config.SHUTDOWN_TIMEOUT_MS,
  logger,
});
