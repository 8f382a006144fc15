/** An amount as messages and stored documents have it: digits, so that no reader passes it through floating point. */
export function toDigits(minor: bigint | null): string | null {
  return minor === null ? null : minor.toString();
}

export function fromDigits(digits: string | null): bigint | null {
  return digits === null ? null : BigInt(digits);
}
