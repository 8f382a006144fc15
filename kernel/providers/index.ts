import { adyen } from './adyen.ts';
import type { Provider } from './provider.ts';
import { silvergate } from './silvergate.ts';
import { stripe } from './stripe.ts';

/** Every webhook scheme that the API and the ingest gateway accept. */
export const providers: readonly Provider[] = [silvergate, stripe, adyen];
