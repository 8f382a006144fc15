/**
 * Which part each kill ends: one after the other, as often as it takes.
 * @throws Error for a part that the system does not have.
 */
export function killOrder(
  names: readonly string[],
  { kills, parts = names }: { kills: number; parts?: readonly string[] | undefined },
): string[] {
  for (const part of parts) {
    if (!names.includes(part)) throw new Error(`--parts: there is no part ${part}. Choose among ${names.join(', ')}.`);
  }
  return Array.from({ length: kills }, (_, index) => parts[index % parts.length]!);
}
