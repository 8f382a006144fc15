import { parseArgs } from 'node:util';
import { controlTopology, defaultTopology, partitionIntervals } from '../../kernel/topology.ts';
import { type HistoryResult, measureHistories, type Question, questions } from './histories.ts';

/**
 * `node drills/histories/main.ts [--days 30,404] [--seconds S]`: what the history of one order or dispute
 * costs over HTTP on a table without partitions and on partitions of days, weeks and months; one client at first, then
 * fifty at once. Prints a table; status 1 when a request failed, or when a history on daily partitions takes more than
 * twice as long as without.
 */
const { values } = parseArgs({
  options: { days: { type: 'string', default: '30,404' }, seconds: { type: 'string', default: '5' } },
});
const seconds = Number(values.seconds);
const limit = 2;
const names = Object.keys(questions) as Question[];

for (const days of values.days.split(',').map(Number)) {
  const results: HistoryResult[] = [];
  for (const partitions of [undefined, ...partitionIntervals]) {
    const topology = partitions ? defaultTopology : controlTopology;
    results.push(await measureHistories({ topology, partitions, days }, seconds, (line) => console.error(line)));
  }
  print(days, results);
}

function print(days: number, results: readonly HistoryResult[]): void {
  const control = results[0]!;
  console.log(`\n${days} days of events; p50 of one client in ms, and its ratio to one table`);
  console.log(row(['partitions', 'number', ...names, '50 at once: /s', 'p99 ms', 'statuses, errors']));
  for (const result of results) {
    const cells = names.map((name) => {
      const ratio = result.alone[name]!.p50Ms / control.alone[name]!.p50Ms;
      if (result.partitions === 'daily' && ratio > limit) process.exitCode = 1;
      if (result.alone[name]!.failed > 0) process.exitCode = 1;
      return `${result.alone[name]!.p50Ms.toFixed(2)} (${ratio.toFixed(2)} ×)`;
    });
    const { perSecond, p99Ms, statuses, errors } = result.together;
    if (errors > 0 || Object.keys(statuses).some((status) => status !== '200')) process.exitCode = 1;
    const together = [String(perSecond), p99Ms.toFixed(1), `${JSON.stringify(statuses)}, ${errors}`];
    console.log(row([result.partitions ?? 'none', String(result.partitionsOfDisputeEvents), ...cells, ...together]));
  }
}

function row(cells: readonly string[]): string {
  return cells
    .map((cell) => cell.padEnd(24))
    .join('')
    .trimEnd();
}
