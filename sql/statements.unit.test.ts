import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { statementsOf } from './statements.ts';

test('semicolons in comments, texts, names and bodies end no statement', () => {
  const body = 'create function f() returns text language sql as $x$ select $$;$$; select 1; $x$';
  const text = `-- one; two\nselect 'a;''b', "c;d";\n\n${body};\n-- the end; really\n`;
  expect(statementsOf(text)).toEqual([`-- one; two\nselect 'a;''b', "c;d"`, body]);
});

test('no statement of a migration is cut', async () => {
  for (const entry of await readdir(import.meta.dirname, { recursive: true, withFileTypes: true })) {
    if (!/(base|topologies\/\w+)$/.test(entry.parentPath) || !entry.name.endsWith('.sql')) continue;
    const statements = statementsOf(await readFile(path.join(entry.parentPath, entry.name), 'utf8'));
    for (const statement of statements) {
      const first = statement
        .replace(/^--.*$/gm, '')
        .trim()
        .split(/\s/, 1)[0];
      expect(first, `${entry.name}: ${statement}`).toMatch(
        /^(alter|call|comment|create|delete|do|drop|grant|insert|revoke|select|set|update)$/,
      );
      expect(statement.replace(/\$(\w*)\$[\s\S]*?\$\1\$|--.*$/gm, '').split("'").length % 2, statement).toBe(1);
    }
  }
});
