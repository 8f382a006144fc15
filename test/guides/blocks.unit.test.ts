import { expect, test } from 'vitest';
import { missingLine, stepsOf } from './blocks.ts';

const guide = `# Title

\`\`\`sh
lab up plain
\`\`\`

\`\`\`output
ready  …
\`\`\`

\`\`\`sh
# needs Docker
docker ps
\`\`\`

\`\`\`sh
# needs Java, takes 5 minutes
lab drill failover
\`\`\`

\`\`\`sql
select 1
\`\`\`
`;

test('a guide has steps, with what they need, how long they take and what they print', () => {
  expect(stepsOf(guide)).toEqual([
    { line: 4, commands: 'lab up plain\n', needs: undefined, duration: undefined, output: ['ready  …'] },
    { line: 12, commands: '# needs Docker\ndocker ps\n', needs: 'Docker', duration: undefined, output: [] },
    { line: 17, commands: expect.stringContaining('drill'), needs: 'Java', duration: '5 minutes', output: [] },
  ]);
});

test('promised lines are looked for in their order, with gaps, whatever the columns', () => {
  const printed = 'a   1\nb 22 x\n[accepted]\n';
  expect(missingLine(['a … 1', 'b … x', '[accepted]'], printed)).toBeUndefined();
  expect(missingLine(['b', 'a 1'], printed)).toBe('a 1');
  expect(missingLine(['b … y'], printed)).toBe('b … y');
  expect(missingLine(['a 1', 'a 1'], printed)).toBe('a 1');
});
