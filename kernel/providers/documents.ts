import { adyenDocument } from './adyen-document.ts';
import type { ProviderDocument } from './document.ts';
import { silvergateDocument } from './silvergate-document.ts';
import { stripeDocument } from './stripe-document.ts';

/** By the provider's name. */
export const providerDocuments: Readonly<Record<string, ProviderDocument>> = {
  silvergate: silvergateDocument,
  stripe: stripeDocument,
  adyen: adyenDocument,
};
