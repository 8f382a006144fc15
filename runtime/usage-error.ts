/** What was asked for makes no sense, or names what is not there. The command line ends with status 2 on it. */
export class UsageError extends Error {}
