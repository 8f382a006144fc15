import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { clusterSettings } from '../citus-cluster.ts';
import { durableSettings } from '../native/postgres-settings.ts';
import { makeSecrets, parseEnvironment } from './secrets.ts';

interface Service {
  image?: string;
  build?: string | object;
  cap_drop?: string[];
  extends?: { file: string; service: string };
  profiles?: string[];
  ports?: string[];
  mem_limit?: string;
  healthcheck?: { disable?: boolean; test?: unknown };
  environment?: Record<string, unknown>;
}

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string) => readFile(path.join(root, file), 'utf8');
const load = async (file: string): Promise<Record<string, Service>> =>
  parse(await read(file), { merge: true }).services;

const composeFiles = [
  'docker-compose.yml',
  'replication/compose.yaml',
  'replication/compose.ha.yaml',
  'citus/compose.yaml',
];
const texts = await Promise.all([...composeFiles, 'runtime/docker/parts.yaml'].map(read));
const parts = await load('runtime/docker/parts.yaml');
const services = Object.assign({}, ...(await Promise.all(composeFiles.map(load)))) as Record<string, Service>;

/** With what it takes over from `parts.yaml`. */
const complete = Object.entries(services).map(([name, service]): [string, Service] => {
  const base = service.extends ? parts[service.extends.service]! : {};
  return [name, { ...base, ...service, environment: { ...base.environment, ...service.environment } }];
});

test('the files are read', () => {
  expect(complete.map(([name]) => name)).toEqual(expect.arrayContaining(['api', 'postgres-replica', 'citus-worker-2']));
});

test.each(complete)('%s has a profile, a pinned image, a memory limit and a health check', (_name, service) => {
  expect(service.profiles?.length).toBeGreaterThan(0);
  expect(service.image).toMatch(/:[\w.-]+$/);
  expect(service.image).not.toMatch(/:latest$/);
  expect(service.mem_limit).toMatch(/^(\$\{[A-Z_0-9]+:-)?\d+[mg]\}?$/);
  // A folder alone names a Dockerfile of its own, whose health check is looked at below.
  const ownImage = typeof service.build === 'string';
  expect(ownImage || (service.healthcheck?.test ?? service.healthcheck?.disable)).toBeTruthy();
});

test('every service is confined, but for ClickHouse’s, whose entrypoint begins as root', () => {
  const free = complete.filter(([, { cap_drop }]) => !cap_drop?.includes('ALL')).map(([name]) => name);
  expect(free).toEqual(['clickhouse']);
});

test('only what runs once has no health check', () => {
  const without = complete.filter(([, { healthcheck }]) => healthcheck?.disable).map(([name]) => name);
  expect(without.sort()).toEqual(['migrate', 'topics']);
});

test('every published port is on 127.0.0.1 and can be changed', () => {
  const ports = complete.flatMap(([, service]) => service.ports ?? []);
  expect(ports.length).toBeGreaterThan(10);
  expect(ports.filter((port) => !/^127\.0\.0\.1:\$\{[A-Z0-9_]+_PORT:-\d+\}:\d+$/.test(port))).toEqual([]);
});

const isSecret = (name: string) => /PASSWORD|SECRET/.test(name);

test('no secret has a default, and `lab env` makes each one that is asked for', () => {
  const asked = texts.flatMap((text) => [...text.matchAll(/\$\{([A-Z_0-9]+)([^}]*)\}/g)]);
  const secrets = asked.filter(([, name]) => isSecret(name!));
  expect(secrets.length).toBeGreaterThan(10);
  expect(secrets.filter(([, , rest]) => !rest!.startsWith(':?')).map(([text]) => text)).toEqual([]);
  expect([...new Set(secrets.map(([, name]) => name!))].sort()).toEqual(Object.keys(makeSecrets()).sort());
});

test('no secret stands in the files', () => {
  const written = complete.flatMap(([name, { environment }]) =>
    Object.entries(environment ?? {})
      .filter(([variable, value]) => (isSecret(variable) || variable.endsWith('_PASS')) && !/^\$\{/.test(String(value)))
      .map(([variable]) => `${name}: ${variable}`),
  );
  expect(written).toEqual([]);
});

test.each([
  ['runtime/docker/service/Dockerfile', 'node'],
  ['runtime/docker/postgres/Dockerfile', 'postgres'],
  ['citus/Dockerfile', 'postgres'],
  ['replication/patroni/Dockerfile', 'postgres'],
  ['replication/etcd/Dockerfile', 'lab-etcd'],
  ['replication/haproxy/Dockerfile', 'haproxy'],
])('%s ends as the user %s, with a health check and pinned bases', async (file, user) => {
  const text = await read(file);
  expect([...text.matchAll(/^USER (\S+)$/gm)].at(-1)?.[1]).toBe(user);
  expect(text).toMatch(/^HEALTHCHECK /m);
  const bases = [...text.matchAll(/^FROM (\S+)/gm)].map((match) => match[1]!);
  expect(bases.filter((base) => !/:(\d|trixie-slim$)/.test(base))).toEqual([]);
});

test('servers in containers run with the settings of native ones', async () => {
  const settings = (text: string) =>
    Object.fromEntries([...text.matchAll(/^([a-z0-9_.]+) = '?(.*?)'?$/gm)].map((match) => [match[1], match[2]]));
  expect(settings(await read('runtime/docker/postgres/lab.conf'))).toMatchObject(durableSettings);
  expect({
    ...settings(await read('runtime/docker/postgres/lab.conf')),
    ...settings(await read('citus/citus.conf')),
  }).toMatchObject(clusterSettings);
});

test.each([
  ['runtime/docker/small.env', 10],
  ['replication/ha.env', 2],
])('%s changes only what the compose files ask for', async (file, moreThan) => {
  const asked = new Set(texts.flatMap((text) => [...text.matchAll(/\$\{([A-Z_0-9]+)/g)].map((match) => match[1]!)));
  const names = Object.keys(parseEnvironment(await read(file)));
  expect(names.length).toBeGreaterThan(moreThan);
  expect(names.filter((name) => !asked.has(name))).toEqual([]);
});
