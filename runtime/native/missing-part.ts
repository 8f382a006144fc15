/** Something this machine lacks. The command line ends with status 3 on it. */
export class MissingPartError extends Error {
  readonly part: string;
  readonly remedy: string;

  constructor(part: string, remedy: string) {
    super(`Missing here: ${part}. Remedy: ${remedy}`);
    this.part = part;
    this.remedy = remedy;
  }
}
