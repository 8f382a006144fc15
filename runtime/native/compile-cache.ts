import { fileURLToPath } from 'node:url';

/**
 * Where Node keeps compiled code between two starts, which then take half as long. Beside the installed packages, and
 * not in the temporary directory: a user who may write there could have code of theirs run by us.
 */
export const compileCacheDirectory = fileURLToPath(new URL('../../node_modules/.cache/lab', import.meta.url));
