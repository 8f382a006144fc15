import { type DestinationStream, type Logger, pino } from 'pino';

/** Fields that never reach a log, wherever they stand in a logged object's first two levels. */
const secretFields = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'secrets',
  'token',
  'card',
  'pan',
  'cvv',
  'cvc',
  'stripe-signature',
  'webhook-signature',
  'dsn',
  'connectionString',
];

/**
 * A JSON logger on stdout. `service` and `topology` stand on every line, so that lines of several processes can be
 * read together.
 */
export function createLogger(
  options: { service: string; level: string; topology?: string },
  destination?: DestinationStream,
): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.service, ...(options.topology && { topology: options.topology }) },
      redact: { paths: secretFields.flatMap((name) => [`["${name}"]`, `*["${name}"]`]), censor: '[redacted]' },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination ?? pino.destination(1),
  );
}
