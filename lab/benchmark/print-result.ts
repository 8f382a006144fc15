import { ownArmsScenarios } from '../../benchmarks/scenarios/registry.ts';
import type { OwnDocument } from '../../benchmarks/schema/own-document.ts';
import { isOwnDocument, type ResultDocument } from '../../benchmarks/schema/result.ts';
import { print, progress } from '../output.ts';
import { comparisonTable, freshnessTable, remarks, summaryText } from './tables.ts';

/** The result for a reader in a terminal. */
export function printResult(document: ResultDocument, file: string, report?: string): void {
  if (isOwnDocument(document)) {
    print(ownText(document));
    progress(`result: ${file}`);
    return;
  }
  print(`\n${comparisonTable(document)}\n`);
  const freshness = freshnessTable(document);
  if (freshness) print(`${freshness}\n`);
  for (const finding of document.findings) print(finding);
  print(`\n${document.verdict}: ${document.conclusion}`);
  for (const remark of remarks(document)) print(remark);
  print(`\nresult  ${file}\nreport  ${report ?? `npx lab report ${document.id}`}`);
}

export function ownText(document: OwnDocument): string {
  return summaryText(ownArmsScenarios.find(({ name }) => name === document.scenario)!.summarize(document));
}
