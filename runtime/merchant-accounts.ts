/** The accounts of simulated Adyen that capture without a request, as services that run here are told. */
export const automaticCaptureAccounts: readonly string[] = ['LabShop'];
