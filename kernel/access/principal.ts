/** What a principal may do: a customer sees its own objects, an operator all, an admin what concerns access too. */
export const roles = ['customer', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

/** On whose behalf a request comes: what a verified access token says. */
export interface Principal {
  /** 1 to 64 characters, as `user_id` of orders and accounts. */
  userId: string;
  role: Role;
}

/** Whether this principal may see what belongs to every user. */
export function seesAll({ role }: Principal): boolean {
  return role !== 'customer';
}

/** Whether this principal may see what belongs to one of these users. */
export function maySee(principal: Principal, ...owners: (string | null)[]): boolean {
  return seesAll(principal) || owners.includes(principal.userId);
}

/**
 * Whose things a list may show, where it was asked for those of `asked` or, without it, for all: a user, or undefined for
 * all of them, or null where there is nothing that this principal may see.
 */
export function listedUser({ userId, role }: Principal, asked: string | undefined): string | undefined | null {
  if (role !== 'customer') return asked;
  return asked === undefined || asked === userId ? userId : null;
}
