import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

/**
 * For `node --import`: writes the URLs of the modules that a process has loaded, one a line, to the file that the query
 * of the import names, as in `loaded-modules.ts?file=/tmp/list`.
 */
const loaded: string[] = [];
registerHooks({
  load: (url, context, nextLoad) => {
    loaded.push(url);
    return nextLoad(url, context);
  },
});
process.on('exit', () => {
  const file = new URL(import.meta.url).searchParams.get('file');
  if (file) writeFileSync(file, loaded.join('\n'));
});
