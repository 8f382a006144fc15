import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

/**
 * For `node --import`: writes the URLs of the modules that a process has loaded, one a line, to the file that
 * LOADED_MODULES names.
 */
const loaded: string[] = [];
registerHooks({
  load: (url, context, nextLoad) => {
    loaded.push(url);
    return nextLoad(url, context);
  },
});
process.on('exit', () => {
  const file = process.env.LOADED_MODULES;
  if (file) writeFileSync(file, loaded.join('\n'));
});
