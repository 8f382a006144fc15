import { fileURLToPath } from 'node:url';

/**
 * Where Node keeps compiled code between two starts, which then take half as long. Beside the installed packages, and
 * not in the temporary directory: whoever may write there could have their own code run by us.
 */
export const compileCacheDirectory = fileURLToPath(new URL('../../node_modules/.cache/lab', import.meta.url));
