import { describe, expect, it } from 'vitest';
import { addressOf, atEach, joinHosts, splitHosts } from './hosts.ts';

describe('hosts of a connection URL', () => {
  it('leaves a URL with one host as it is', () => {
    for (const dsn of [
      'postgresql://u:p@db:5432/payments?sslmode=disable',
      'postgres://db/x',
      'postgresql://[::1]:5/x',
    ]) {
      expect(splitHosts(dsn)).toEqual([dsn]);
    }
  });

  it('makes one URL of each of several hosts', () => {
    expect(
      splitHosts('postgresql://u:p%40@a:1,b:2/payments?target_session_attrs=read-write&connect_timeout=3'),
    ).toEqual([
      'postgresql://u:p%40@a:1/payments?connect_timeout=3',
      'postgresql://u:p%40@b:2/payments?connect_timeout=3',
    ]);
  });

  it('splits again what it has joined', () => {
    const dsns = ['postgresql://u:p%40@127.0.0.1:1/payments', 'postgresql://u:p%40@127.0.0.1:2/payments'];
    expect(splitHosts(joinHosts(dsns))).toEqual(dsns);
  });

  it.each(['postgresql://a,b/x', 'postgresql://a,b/x?target_session_attrs=any'])('refuses %s', (dsn) => {
    expect(() => splitHosts(dsn)).toThrow('target_session_attrs=read-write');
  });

  it.each(['', 'mysql://a/x', 'postgresql://a:port/x', 'postgresql://a:1,b:x/y?target_session_attrs=primary'])(
    'refuses %j',
    (dsn) => {
      expect(() => splitHosts(dsn)).toThrow('must be a');
    },
  );

  it('tells host and port', () => {
    expect(addressOf('postgresql://u@db/x')).toEqual({ host: 'db', port: 5432 });
    expect(addressOf('postgresql://u@127.0.0.1:6543/x')).toEqual({ host: '127.0.0.1', port: 6543 });
  });

  it('keeps everything but the port for servers beside each other', () => {
    expect(atEach('postgresql://user:secret@[::1]:5432/payments?a=b', [{ port: 5433 }, { port: 5434 }])).toEqual([
      'postgresql://user:secret@[::1]:5433/payments?a=b',
      'postgresql://user:secret@[::1]:5434/payments?a=b',
    ]);
  });
});
