import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeIf } from '../skip.ts';
import { type LabHome, openLabHome } from './lab-home.ts';

let home: LabHome;
beforeAll(async () => {
  home = await openLabHome();
});
afterAll(() => home.close());

const program = path.resolve(import.meta.dirname, '../../lab/bin.js');
/** In a view of the file systems that only the command has, so that nothing has to be unmounted. */
const mayMount = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

describeIf('lab up on a disk', mayMount ? undefined : 'the right to mount a file system', () => {
  test.each<[string, string, RegExp]>([
    ['that is full', 'size=24m', /(ENOSPC|No space left on device)[\s\S]*set LAB_HOME/],
    ['that is read-only', 'size=1m,ro', /EROFS[\s\S]*Set LAB_HOME/],
  ])('%s names LAB_HOME', async (name, options, complaint) => {
    const directory = path.join(home.path, name.replaceAll(' ', '-'));
    await mkdir(directory, { mode: 0o711 });
    const script = 'mount -t tmpfs -o "$1,mode=711" tmpfs "$2" && LAB_HOME="$2" exec "$3" "$4" up plain --cdc off';
    const given = [options, directory, process.execPath, program];
    const result = await home.start('unshare', '--mount', 'sh', '-c', script, 'sh', ...given).ended;
    expect(result.stderr).toMatch(complaint);
    expect(result.status).toBe(1);
  });
});
