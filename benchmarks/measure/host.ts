import { access, readFile, stat } from 'node:fs/promises';

/** The block device below a directory, as in `/dev/sda1`; null where it can't be told. */
export async function deviceOf(directory: string): Promise<string | null> {
  const { dev } = await stat(directory);
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  // The numbers as makedev(3) puts them together.
  const major = ((dev >>> 8) & 0xfff).toString();
  const minor = ((dev & 0xff) | ((dev >>> 12) & 0xfff00)).toString();
  return findDevice(mounts, `${major}:${minor}`);
}

/** The source of the mount with these numbers in /proc/self/mountinfo (proc(5)). */
export function findDevice(mounts: string, numbers: string): string | null {
  const line = mounts.split('\n').find((mount) => mount.split(' ')[2] === numbers);
  return line?.split(' - ')[1]?.split(' ')[1] ?? null;
}

/** What the machine runs in: containers and hypervisors share cores and disks with what can't be seen from here. */
export async function virtualisation(): Promise<string> {
  if (process.platform !== 'linux') return 'unknown';
  const [cpu, product, container] = await Promise.all([
    readFile('/proc/cpuinfo', 'utf8').catch(() => ''),
    readFile('/sys/class/dmi/id/product_name', 'utf8').catch(() => ''),
    access('/.dockerenv').then(
      () => true,
      () => false,
    ),
  ]);
  return describeVirtualisation({ cpu, product: product.trim(), container });
}

export function describeVirtualisation(host: { cpu: string; product: string; container: boolean }): string {
  const machine = /^flags\s*:.*\bhypervisor\b/m.test(host.cpu)
    ? `virtual machine${host.product ? ` (${host.product})` : ''}`
    : 'no hypervisor';
  return host.container ? `container, ${machine}` : machine;
}
