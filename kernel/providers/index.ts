import type { Provider } from './provider.ts';
import { silvergate } from './silvergate.ts';

/** Every webhook scheme that the API and the ingest gateway accept. */
export const providers: readonly Provider[] = [silvergate];
