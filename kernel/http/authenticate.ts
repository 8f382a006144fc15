import type { Request, RequestHandler, Response } from 'express';
import { type AccessTokens, InvalidTokenError } from '../access/access-tokens.ts';
import type { Principal, Role } from '../access/principal.ts';
import { AppError } from './errors.ts';

const remedy = 'Send Authorization: Bearer with an access token of POST /api/v1/auth/login';

/**
 * Reads the access token of a request; the handlers behind it get the principal from `principalOf`.
 * @throws AppError unauthenticated for a token that is not valid.
 */
export function authenticate(tokens: AccessTokens): RequestHandler {
  return (request, response, next) => {
    const token = bearerToken(request);
    if (token === undefined) return next();
    tokens.verify(token).then((principal) => {
      response.locals.principal = principal;
      next();
    }, failed(next));
  };
}

/** @throws AppError unauthenticated for an Authorization header of another form. */
function bearerToken(request: Request): string | undefined {
  const header = request.headers.authorization;
  if (header === undefined) return undefined;
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
  throw new AppError('unauthenticated', `${remedy}.`, { details: { token: 'missing' } });
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
