import { createRequire } from 'node:module';
import { type Response, Router } from 'express';
import helmet from 'helmet';
import { AppError } from '../../kernel/http/errors.ts';
import { methodNotAllowed } from '../../kernel/http/middleware.ts';

/** Files of swagger-ui-dist that the page uses; nothing else of the package is served. */
const packageFiles = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];

/** No script and no style stands in the page itself, so that the content security policy needs no exception. */
const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Payments scaling lab: API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
  </head>
  <body>
    <div id="api"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

/** The validator of swagger.io would be asked about every document that is shown, hence no URL for it. */
const start = `window.ui = SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  validatorUrl: null,
});
`;

/** /openapi.json, and /docs, which shows it without anything from the internet. */
export function documentationRouter(document: unknown): Router {
  const json = JSON.stringify(document);
  const resolve = createRequire(import.meta.url).resolve;
  const router = Router();
  router
    .route('/openapi.json')
    .get((_request, response) => send(response, 'application/json', json))
    .all(methodNotAllowed('GET', 'HEAD'));
  router
    .route('/docs')
    .get(pagePolicy(), (_request, response: Response) => send(response, 'text/html', page))
    .all(methodNotAllowed('GET', 'HEAD'));
  router
    .route('/docs/:file')
    .get((request, response, next) => {
      const { file } = request.params;
      if (file === 'start.js') return send(response, 'text/javascript', start);
      if (!packageFiles.includes(file)) throw new AppError('not_found', 'No such file.');
      response.sendFile(resolve(`swagger-ui-dist/${file}`), { maxAge: '1h', dotfiles: 'allow' }, next);
    })
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;
}

/** Helmet's policy, without the rule that turns http into https: the lab runs on plain http on this machine. */
function pagePolicy() {
  return helmet.contentSecurityPolicy({ directives: { 'upgrade-insecure-requests': null } });
}

function send(response: Response, type: string, text: string): void {
  response.type(type).send(text);
}
