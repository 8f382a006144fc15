import { expect, test } from 'vitest';
import { checkedAddresses, checkTargetUrl, ForbiddenTargetError, isPublicAddress } from './outgoing-address.ts';

test.each(['8.8.8.8', '93.184.216.34', '2606:2800:220:1::1', '::ffff:8.8.8.8'])('%s is public', (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each([
  '127.0.0.1',
  '127.255.0.9',
  '0.0.0.0',
  '10.1.2.3',
  '172.16.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '192.0.0.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '240.0.0.1',
  '::1',
  '::',
  'fe80::1',
  'fc00::1',
  'fd12:3456::1',
  'ff02::1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  '2001:db8::1',
  'localhost',
  '',
])('%s is not', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each([
  'http://example.com/hook',
  'ftp://example.com/hook',
  'https://user:secret@example.com/hook',
  'https://127.0.0.1/hook',
  'https://2130706433/hook',
  'https://0x7f.1/hook',
  'https://[::1]/hook',
  'https://[::ffff:10.0.0.1]/hook',
  'https://localhost/hook',
  'https://169.254.169.254/latest/meta-data',
])('%s is refused before anything is resolved', (text) => {
  expect(() => checkTargetUrl(new URL(text), [])).toThrow(ForbiddenTargetError);
});

test('a target that is allowed by host and port may be private, and no other port of it', () => {
  const allowed = ['127.0.0.1:8025'];
  expect(() => checkTargetUrl(new URL('http://127.0.0.1:8025/webhooks/shop'), allowed)).not.toThrow();
  expect(() => checkTargetUrl(new URL('http://127.0.0.1:8123/?query=drop'), allowed)).toThrow(ForbiddenTargetError);
});

test('one address of a name that is not public is enough to refuse it', async () => {
  const url = new URL('https://shop.example.com/hook');
  const open = { address: '93.184.216.34', family: 4 };
  const inside = { address: '10.0.0.7', family: 4 };
  await expect(checkedAddresses(url, [], async () => [open])).resolves.toEqual([open]);
  await expect(checkedAddresses(url, [], async () => [open, inside])).rejects.toThrow(ForbiddenTargetError);
});
