/**
 * The health check inside of the services' image, which has neither curl nor wget: status 0 when the URL answers 200.
 * Usage: node runtime/docker/healthy.ts http://127.0.0.1:3000/health/ready
 */
if (import.meta.main) {
  const [url = ''] = process.argv.slice(2);
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(3_000) });
    // Docker keeps the last outputs: docker inspect shows what is missing.
    process.stdout.write(await response.text());
    process.exitCode = response.status === 200 ? 0 : 1;
  } catch (error) {
    process.stdout.write(String(error instanceof Error ? (error.cause ?? error) : error));
    process.exitCode = 1;
  }
}
