import type { Request, RequestHandler, Response } from 'express';
import { type AccessTokens, InvalidTokenError } from '../access/access-tokens.ts';
import type { Principal, Role } from '../access/principal.ts';
import { AppError } from './errors.ts';

const remedy = 'Send Authorization: Bearer with an access token of POST /api/v1/auth/login';

/**
 * Lets requests pass that carry an access token; the handlers behind it get the principal from `principalOf`.
 * @throws AppError unauthenticated without a token, and for one that is not valid.
 */
export function authenticate(tokens: AccessTokens): RequestHandler {
  return (request, response, next) => {
    tokens.verify(bearerToken(request)).then((principal) => {
      response.locals.principal = principal;
      next();
    }, failed(next));
  };
}

/** @throws AppError unauthenticated without an Authorization header, and for one of another form. */
function bearerToken(request: Request): string {
  const header = request.headers.authorization;
  if (header === undefined) throw missingToken();
  const token = /^bearer +([\w.~+/-]+=*)$/i.exec(header)?.[1];
  if (token === undefined) throw invalidToken('Authorization has to look like: Bearer and the token');
  return token;
}

function failed(next: (error: unknown) => void) {
  return (error: unknown) => next(error instanceof InvalidTokenError ? invalidToken(error.message) : error);
}

function invalidToken(reason: string): AppError {
  return new AppError('unauthenticated', `${remedy}: ${reason}.`, { details: { token: 'invalid' } });
}

/** Who sent this request. @throws AppError unauthenticated where it came without a token. */
export function principalOf(response: Response): Principal {
  const { principal } = response.locals;
  if (principal) return principal as Principal;
  throw missingToken();
}

function missingToken(): AppError {
  return new AppError('unauthenticated', `${remedy}.`, { details: { token: 'missing' } });
}

/** Lets a request pass whose principal has one of these roles. @throws AppError unauthenticated, forbidden */
export function requireRole(...allowed: Role[]): RequestHandler {
  return (_request, response, next) => {
    const { role } = principalOf(response);
    if (!allowed.includes(role)) {
      throw new AppError('forbidden', `This needs the role ${allowed.join(' or ')}; the token has ${role}.`);
    }
    next();
  };
}

/** Before the handlers of what concerns every user, or changes what a customer may not. */
export const operatorsOnly: RequestHandler = requireRole('operator', 'admin');
