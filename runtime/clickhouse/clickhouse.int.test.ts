import { gzipSync } from 'node:zlib';
import { createClient } from '@clickhouse/client';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { missingClickhouse, startTestClickhouse, type TestClickhouse } from '../../test/clickhouse/server.ts';
import { describeIf } from '../../test/skip.ts';

describeIf('ClickHouse over HTTP', missingClickhouse(), () => {
  let clickhouse: TestClickhouse;
  beforeAll(async () => {
    clickhouse = await startTestClickhouse();
  });
  afterAll(() => clickhouse?.close());

  beforeEach(async () => {
    await clickhouse.client.command({ query: 'drop table if exists t sync' });
    await clickhouse.client.command({ query: 'create table t (a Int64, b String) engine = MergeTree order by a' });
  });

  /** A request as curl would send it, with the right password unless headers say otherwise. */
  async function call(
    parameters: Record<string, string>,
    body?: string | Buffer,
    headers: Record<string, string> = {},
  ) {
    const url = new URL(clickhouse.server.url);
    const authorization = `Basic ${btoa(`${url.username}:${url.password}`)}`;
    const target = `http://${url.host}/?${new URLSearchParams(parameters)}`;
    const response = await fetch(target, {
      ...(body !== undefined && { method: 'POST', body }),
      headers: { authorization, ...headers },
    });
    const text = await response.text();
    return { status: response.status, text, headers: response.headers };
  }

  const exception = (code: number, name: string) => new RegExp(`^Code: ${code}\\. DB::Exception: [^]+\\(${name}\\)`);

  test('the client inserts, queries with parameters and is told of errors', async () => {
    const { client } = clickhouse;
    const values = [
      { a: 1, b: "it's; \\ ünd\t\n--" },
      { a: 2, b: '{x:Y}' },
    ];
    const { summary } = await client.insert({ table: 't', values, format: 'JSONEachRow', columns: ['a', 'b'] });
    expect(summary?.written_rows).toBe('2');
    const answer = await client.query({
      query: 'select a, b from t where b = {wanted: String} and a in {among: Array(Int64)}',
      query_params: { wanted: values[0]!.b, among: [1, 2, 3] },
      format: 'JSONEachRow',
    });
    expect(await answer.json()).toEqual([values[0]]);
    await expect(client.query({ query: 'select * from nowhere' })).rejects.toMatchObject({
      code: '60',
      type: 'UNKNOWN_TABLE',
    });
    expect(await client.ping()).toEqual({ success: true });
  });

  test('compression both ways', async () => {
    const url = clickhouse.server.url;
    const client = createClient({ url, compression: { request: true, response: true } });
    await client.insert({ table: 't', values: [{ a: 5, b: 'five' }], format: 'JSONEachRow' });
    const answer = await client.query({ query: 'select b from t', format: 'JSONEachRow' });
    expect(answer.response_headers['content-encoding']).toBe('gzip');
    expect(await answer.json()).toEqual([{ b: 'five' }]);
    await client.close();
    const rows = gzipSync('{"a":6,"b":"six"}\n');
    expect(
      await call({ query: 'insert into t format JSONEachRow' }, rows, { 'content-encoding': 'gzip' }),
    ).toMatchObject({ status: 200 });
    const broken = await call({ query: 'insert into t format JSONEachRow' }, rows.subarray(0, 20), {
      'content-encoding': 'gzip',
    });
    expect(broken).toMatchObject({ status: 400, text: expect.stringMatching(exception(354, 'CANNOT_DECOMPRESS')) });
    expect(await clickhouse.value('select count() from t')).toBe('2');
  });

  test('statement in the URL, in the body and across both; rows after it', async () => {
    expect((await call({ query: 'select 1' })).text).toBe('1\n');
    expect((await call({}, "select ';' as a -- ; more")).text).toBe(';\n');
    expect((await call({ query: 'select' }, '2 format CSVWithNames')).text).toBe('"2"\n2\n');
    await call({ query: 'insert into t values' }, "(1, 'values')");
    await call({}, 'insert into t format TSV\n2\ttab');
    await call({ query: 'insert into t (b, a) format CSV' }, '"csv",3');
    await call({ query: 'insert into t format RowBinary' }, Buffer.from([4, 0, 0, 0, 0, 0, 0, 0, 2, 255, 0]));
    await call({ query: 'insert into t select 5, b from t where a = 1' }, '');
    const { text } = await call({ query: 'select a, hex(b) from t order by a', default_format: 'JSONCompactEachRow' });
    const bytes = (name: string) => Buffer.from(name).toString('hex').toUpperCase();
    expect(text).toBe(
      `[1, "${bytes('values')}"]\n[2, "${bytes('tab')}"]\n[3, "${bytes('csv')}"]\n[4, "FF00"]\n[5, "${bytes('values')}"]\n`,
    );
  });

  test.each([
    ['broken syntax', {}, 'select from where', 400, exception(62, 'SYNTAX_ERROR')],
    ['two statements', {}, 'select 1; select 2', 400, exception(62, 'SYNTAX_ERROR')],
    ['nothing', {}, '', 400, exception(62, 'SYNTAX_ERROR')],
    ['an unknown function', {}, 'select nope(1)', 404, exception(46, 'UNKNOWN_FUNCTION')],
    ['an unknown database', { database: 'nope' }, 'select 1', 404, exception(81, 'UNKNOWN_DATABASE')],
    ['an unknown setting', { nope: '1' }, 'select 1', 404, exception(115, 'UNKNOWN_SETTING')],
    ["a setting's name that is SQL", { 'a = 1, b': '1' }, 'select 1', 404, exception(115, 'UNKNOWN_SETTING')],
    ['a missing parameter', {}, 'select {a: String}', 400, exception(456, 'UNKNOWN_QUERY_PARAMETER')],
    ['a failing query', {}, "select throwIf(1, 'oops')", 500, exception(395, 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO')],
    ['rows that do not parse', { query: 'insert into t format CSV' }, 'x,y', 400, exception(27, '[A-Z_]+')],
    ['a session', { session_id: 's' }, 'select 1', 501, exception(48, 'NOT_IMPLEMENTED')],
    [
      'input(), whose rows chdb would lose',
      { query: "insert into t select * from input('a Int64, b String') format CSV" },
      '1,x',
      501,
      exception(48, 'NOT_IMPLEMENTED'),
    ],
  ])('%s is refused', async (_name, parameters, body, status, text) => {
    const answer = await call(parameters as Record<string, string>, body);
    expect(answer).toMatchObject({ status, text: expect.stringMatching(text) });
    expect(answer.headers.get('x-clickhouse-exception-code')).toBe(/\d+/.exec(answer.text)![0]);
    expect(await clickhouse.value('select count() from t')).toBe('0');
  });

  test('no client gets in without the password, and ping needs none', async () => {
    expect(await call({ query: 'select 1' }, undefined, { authorization: '' })).toMatchObject({ status: 401 });
    const wrong = { authorization: `Basic ${btoa('lab:wrong')}` };
    expect(await call({ query: 'select 1' }, undefined, wrong)).toMatchObject({ status: 403 });
    expect(await call({ query: 'select 1', user: 'lab', password: 'wrong' })).toMatchObject({ status: 403 });
    const { username, password, host } = new URL(clickhouse.server.url);
    const byHeader = { 'x-clickhouse-user': username, 'x-clickhouse-key': password };
    expect((await fetch(`http://${host}/?query=select+1`, { headers: byHeader })).status).toBe(200);
    expect(await (await fetch(`http://${host}/ping`)).text()).toBe('Ok.\n');
  });

  test('GET does not write', async () => {
    expect(await call({ query: "insert into t values (1, 'x')" })).toMatchObject({ status: 403 });
    expect(await call({ query: "insert into t values (1, 'x')", readonly: '0' })).not.toMatchObject({ status: 200 });
    expect(await clickhouse.value('select count() from t')).toBe('0');
  });

  test('settings and parameters of queries at once do not mix', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, at) =>
        call(
          { param_own: `v${at}`, max_block_size: String(1_000 + at) },
          "select {own: String}, getSetting('max_block_size'), sleep(0.01)",
        ),
      ),
    );
    expect(answers.map(({ text }) => text)).toEqual(answers.map((_, at) => `v${at}\t${1_000 + at}\t0\n`));
    expect((await call({}, "select getSetting('max_block_size')")).text).toBe('65409\n');
  });

  test('stopping waits for the query that runs', async () => {
    const { server } = clickhouse;
    const slow = call({}, 'select sleep(1.5)');
    const running = "select count() from system.processes where query like '%sleep%' and query not like '%processes%'";
    await expect.poll(() => clickhouse.value(running), { timeout: 5_000 }).toBe('1');
    await server.stop();
    expect(await slow).toMatchObject({ status: 200, text: '0\n' });
    await server.restart();
  });

  test('what was acknowledged survives kill -9', async () => {
    const { server } = clickhouse;
    let acknowledged = 0;
    let killed = false;
    const writing = (async () => {
      for (let at = 0; ; at++) {
        const answer = await call({ query: 'insert into t format CSV' }, `${at},x`).catch(() => undefined);
        if (answer?.status !== 200) return;
        acknowledged = at + 1;
        if (acknowledged === 20) {
          killed = true;
          server.kill('SIGKILL');
        }
      }
    })();
    await writing;
    expect(killed).toBe(true);
    await server.restart();
    expect(Number(await clickhouse.value(`select uniqExact(a) from t where a < ${acknowledged}`))).toBe(acknowledged);
  });
});
