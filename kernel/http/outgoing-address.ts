import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * Targets that may be reached although they lie in a private network: `host:port`, as the URL has them. Port and name
 * both have to match, so that one service of this machine can be named without opening the others.
 */
export type AllowedTargets = readonly string[];

/** A URL, or the address that its name leads to, is none that requests to the outside may go to. */
export class ForbiddenTargetError extends Error {}

/**
 * Whether an address belongs to the public Internet: neither to this machine, a private or a provider's network, nor to
 * the ranges that are mapped, tunnelled or reserved.
 */
export function isPublicAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast';
}

/**
 * What can be told of a URL before its name is resolved.
 * @throws ForbiddenTargetError for another protocol than https, or http to an allowed target; credentials; an address
 * that is not public.
 */
export function checkTargetUrl(url: URL, allowed: AllowedTargets): void {
  if (isAllowed(url, allowed)) return;
  if (url.protocol !== 'https:') throw new ForbiddenTargetError('must begin with https://');
  if (url.username || url.password) throw new ForbiddenTargetError('must not have a user or a password');
  const literal = addressIn(url.hostname);
  if (literal !== undefined && !isPublicAddress(literal)) throw new ForbiddenTargetError('must be a public address');
  if (literal === undefined && !url.hostname.includes('.')) {
    throw new ForbiddenTargetError('must have a public host name');
  }
}

/**
 * The addresses of a URL's host, all of them checked; a connection has to be made to one of these and no other, since a
 * second look-up may be answered differently.
 * @throws ForbiddenTargetError; what `resolve` throws
 */
export async function checkedAddresses(
  url: URL,
  allowed: AllowedTargets,
  resolve: (name: string) => Promise<LookupAddress[]>,
): Promise<LookupAddress[]> {
  checkTargetUrl(url, allowed);
  const literal = addressIn(url.hostname);
  const found = literal === undefined ? await resolve(url.hostname) : [{ address: literal, family: isIP(literal) }];
  if (isAllowed(url, allowed)) return found;
  const forbidden = found.find(({ address }) => !isPublicAddress(address));
  if (forbidden) throw new ForbiddenTargetError(`${url.hostname} leads to an address that is not public`);
  return found;
}

function isAllowed(url: URL, allowed: AllowedTargets): boolean {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return allowed.includes(`${url.hostname}:${port}`);
}

/** The address that a host name is, without the brackets of IPv6. */
function addressIn(hostname: string): string | undefined {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(bare) ? bare : undefined;
}
