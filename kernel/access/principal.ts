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
