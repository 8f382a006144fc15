import { expect, test } from 'vitest';
import { readStatement } from './statement.ts';

test.each([
  ['select 1', { takesData: false, format: undefined }],
  ["select 'format X'", { takesData: false, format: undefined }],
  ['select 1 format JSON settings max_threads = 1;', { takesData: false, format: 'JSON' }],
  ['insert into t format JSONEachRow', { takesData: true, plainInsert: { table: 't', columns: undefined } }],
  ['INSERT INTO d.t (`a`, b) FORMAT CSV\n', { takesData: true, plainInsert: { table: 'd.t', columns: ['a', 'b'] } }],
  ['insert into t (a) settings x = 1 format CSV', { takesData: true, plainInsert: undefined }],
  ['insert into t values', { takesData: true, plainInsert: undefined }],
  ['insert into t select 1', { takesData: false }],
  ['insert into t format JSONEachRow\n{"a":"; format"}', { takesData: true, plainInsert: undefined }],
])('%s', (text, expected) => {
  expect(readStatement(text)).toMatchObject(expected);
});

test.each(['', ' -- nothing', 'select 1; select 2', 'drop table t; -- x\n drop table u'])('refuses %j', (text) => {
  expect(() => readStatement(text)).toThrow(/SYNTAX_ERROR/);
});

test.each(["select ';' ; ", 'select 1 -- ; select 2', 'select `;`, ";" /* ; */', "select 'it''s; \\' ;'"])(
  'takes %j for one statement',
  (text) => {
    expect(() => readStatement(text)).not.toThrow();
  },
);
