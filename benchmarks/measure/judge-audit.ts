interface Looked {
  invariants: readonly { id: string; checked: number }[];
}

/**
 * An audit proves only what it has looked at: I2 has to have looked up every webhook that the client counted as
 * acknowledged. @param acknowledged each delivery once
 */
export function judgeLookedUp(audit: Looked, acknowledged: number): string[] {
  const checked = audit.invariants.find(({ id }) => id === 'I2')?.checked ?? 0;
  if (checked === acknowledged && checked > 0) return [];
  if (checked === 0) return ['audit: no acknowledged webhook was looked up'];
  return [`audit: ${checked} acknowledged webhooks were looked up, and the client counted ${acknowledged}`];
}
