import { commandRoute, dataResponse, type PathRegistration, readRoute } from '../openapi/describe.ts';
import { credentialExamples, refreshExamples, tokensExample, userExample } from './examples.ts';
import { loggedOut, loginBody, me, refreshBody, registerBody, tokens, user } from './schemas.ts';

const tags = ['access'];

export const registerUserPaths: PathRegistration = (registry) => {
  registerCredentialPaths(registry);
  registerSessionPaths(registry);
};

const registerCredentialPaths: PathRegistration = (registry) => {
  registry.registerPath(
    commandRoute(
      {
        operationId: 'register',
        path: '/api/v1/auth/register',
        tags,
        summary: 'Create an account',
        isOpen: true,
        body: registerBody,
        examples: credentialExamples,
      },
      { 201: dataResponse('user', user, 'The user, who is a customer.', 'other', userExample) },
      'email_taken',
    ),
  );
  registry.registerPath(
    commandRoute(
      {
        operationId: 'login',
        path: '/api/v1/auth/login',
        tags,
        summary: 'Get an access token for a password',
        description: 'An unknown email address is answered as a wrong password is, and after the same time.',
        isOpen: true,
        body: loginBody,
        examples: credentialExamples,
      },
      { 200: dataResponse('tokens', tokens, 'A new session.', 'other', tokensExample) },
      'invalid_credentials',
    ),
  );
};

const registerSessionPaths: PathRegistration = (registry) => {
  registry.registerPath(
    commandRoute(
      {
        operationId: 'refresh',
        path: '/api/v1/auth/refresh',
        tags,
        summary: 'Get an access token for a refresh token',
        description: 'Each refresh token works once. A second use revokes the session: two clients have the token.',
        isOpen: true,
        body: refreshBody,
        examples: refreshExamples,
      },
      { 200: dataResponse('tokens', tokens, 'The next pair of tokens.', 'other', tokensExample) },
      'invalid_credentials',
    ),
  );
  registry.registerPath(
    commandRoute(
      {
        operationId: 'logout',
        path: '/api/v1/auth/logout',
        tags,
        summary: 'End a session',
        description:
          'Its refresh token is worth nothing from then on; an access token until it expires. A token of no open session ' +
          'is answered in the same way.',
        isOpen: true,
        body: refreshBody,
        examples: refreshExamples,
      },
      { 200: dataResponse('logout', loggedOut, 'There is no such session any more.', 'other', { logged_out: true }) },
    ),
  );
  registry.registerPath(
    readRoute(
      { operationId: 'getMe', path: '/api/v1/auth/me', tags, summary: 'On whose behalf the access token speaks' },
      dataResponse('user', me, 'The principal.', 'read', userExample),
    ),
  );
};
