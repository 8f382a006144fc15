import { domainToASCII } from 'node:url';
import { z } from 'zod';
import { roles } from '../../kernel/access/principal.ts';
import { timeOutput } from '../openapi/describe.ts';

/** The whole address in lower case: providers that tell `A@` from `a@` are history, and users don't. */
function normalEmail(text: string): string {
  const at = text.lastIndexOf('@');
  return `${text.slice(0, at).normalize('NFKC').toLowerCase()}@${domainToASCII(text.slice(at + 1).toLowerCase())}`;
}

const emailPattern = /^[^\s@"<>()[\]\\,;:]{1,64}@[^\s@"<>()[\]\\,;:/]{1,190}$/;

/** An email address; the output is normalised, so that one address is one account. */
const email = z
  .string()
  .regex(emailPattern, 'must be an email address, such as name@example.com')
  .refine((text) => !/\p{Cc}/u.test(text), 'must not have control characters')
  .transform(normalEmail)
  .refine((text) => /@[^.]+(\.[^.]+)+$/.test(text) && text.length <= 254, 'must be an email address with a domain')
  .meta({ description: 'Case and width of letters make no difference.', examples: ['ada@example.com'] });

export const passwordLength = { shortest: 10, longest: 256 };

/** Those of at least ten characters among the most used ones of published leaks. */
const common = new Set([
  '1234567890',
  '0123456789',
  '0987654321',
  '1q2w3e4r5t',
  'qwertyuiop',
  'qwerty12345',
  'password12',
  'password123',
  'password1234',
  'passw0rd123',
  'iloveyou123',
  'administrator',
  'letmein123',
  'welcome123',
  '1qaz2wsx3edc',
]);

const newPassword = z
  .string()
  .min(passwordLength.shortest, `must have at least ${passwordLength.shortest} characters`)
  .max(passwordLength.longest, `must have at most ${passwordLength.longest} characters`)
  .refine((text) => new Set(text).size >= 5, 'must have at least five different characters')
  .refine((text) => !common.has(text.toLowerCase()), 'is one of the most used passwords; choose another')
  .meta({ description: 'At least five different characters, and none of the most used passwords.' });

export const registerBody = z
  .strictObject({ email, password: newPassword })
  .refine(({ email: address, password }) => !isAbout(password, address), {
    path: ['password'],
    message: 'must not be the email address',
  });

function isAbout(password: string, address: string): boolean {
  const text = password.toLowerCase();
  return text === address || text === address.slice(0, address.lastIndexOf('@'));
}

/** Whether the password is one that could be registered is not said here. */
export const loginBody = z.strictObject({ email, password: z.string().min(1).max(passwordLength.longest) });

export const refreshBody = z.strictObject({ refresh_token: z.string().min(1).max(512) });

export const user = z
  .object({ user_id: z.string(), email: z.string(), role: z.enum(roles), created_at: timeOutput })
  .meta({ id: 'User' });

export const tokens = z
  .object({
    token_type: z.literal('Bearer'),
    access_token: z.string().meta({ description: 'For the header Authorization: Bearer.' }),
    expires_in: z.int().meta({ description: 'Seconds until the access token expires.' }),
    refresh_token: z.string().meta({
      description: 'For one refresh, which returns the next one. When it comes a second time, the session is revoked.',
    }),
    user,
  })
  .meta({ id: 'Tokens' });

export const loggedOut = z.object({ logged_out: z.literal(true) }).meta({ id: 'LoggedOut' });

export const me = z
  .object({
    user_id: z.string(),
    role: z.enum(roles),
    email: z.string().nullable().meta({ description: 'Null for a principal that did not register.' }),
    created_at: timeOutput.nullable(),
  })
  .meta({ id: 'Me' });
