import { defaultResultsDirectory, loadDocument } from '../../benchmarks/results/store.ts';
import { type Verification, verifyDocument } from '../../benchmarks/results/verify.ts';
import { print, printJson } from '../output.ts';

/** `lab verify`: status 1 for a result that is not what its measurements say. */
export async function verifyCommand(wanted: string | undefined, flags: { json?: boolean }): Promise<void> {
  const document = await loadDocument(defaultResultsDirectory(), wanted);
  const verification = verifyDocument(document);
  const ok = verification.sealed === true && verification.differences.length === 0;
  if (flags.json) printJson({ id: document.id, ok, ...verification });
  else print(verificationText(document.id, verification));
  if (!ok) process.exitCode = 1;
}

export function verificationText(id: string, { sealed, phases, differences }: Verification): string {
  const lines = differences.map(({ where, stored, derived }) => `${where}: stored ${stored}, derived ${derived}`);
  const digests = {
    true: 'its digest fits',
    false: 'its digest does not fit: it was changed after it was stored',
    null: 'it has no digest: it was stored before results had one, so nothing says that it was not changed',
  };
  const figures =
    differences.length === 0
      ? `all figures follow from its measurements (${phases} histograms)`
      : `${differences.length} figures do not follow from its measurements:`;
  return [`${id}: ${digests[`${sealed}`]}; ${figures}`, ...lines].join('\n');
}
