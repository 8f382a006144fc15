// Prints `passed failed skipped` from vitest's JSON report. Usage: node totals.mjs <report> <exit status of the tests>
import { readFileSync } from 'node:fs';

const [file, exitStatus] = process.argv.slice(2);
let totals = { passed: 0, failed: 0, skipped: 0 };
try {
  totals = count(JSON.parse(readFileSync(file, 'utf8')));
} catch {
  // No report means that the run itself broke; the exit status then counts as the failure.
}
// An error outside of any test, or a run that found no test, fails the run without a failed test.
if (totals.failed === 0 && (exitStatus !== '0' || totals.passed === 0)) totals.failed = 1;
process.stdout.write(`${totals.passed} ${totals.failed} ${totals.skipped}\n`);

function count(report) {
  // A file that could not be loaded has failed without holding a test.
  const brokenFiles = report.testResults.filter(
    (result) => result.status === 'failed' && !result.assertionResults.some((test) => test.status === 'failed'),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}
