import type { MerchantSettings } from '../providers/provider.ts';
import type { Environment } from './environment.ts';
import { listOf, merchantAccount } from './fields.ts';
import { loadConfig } from './load.ts';

const shape = {
  /** Merchant accounts at Adyen whose capture delay is not `manual`: their payments are captured without a request. */
  ADYEN_AUTOMATIC_CAPTURE: listOf(merchantAccount).default([]),
};

/** What providers do by the merchant's settings there. @throws ConfigError that names the variable. */
export function loadMerchantSettings(environment: Environment): MerchantSettings {
  return { adyenAutomaticCapture: loadConfig(shape, environment).ADYEN_AUTOMATIC_CAPTURE };
}
