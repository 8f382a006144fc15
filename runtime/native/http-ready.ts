/** How a URL answers GET within two seconds: the status as text, or why there is none. */
export async function httpAnswer(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return String(response.status);
  } catch (error) {
    if (!(error instanceof Error)) return String(error);
    return error.cause instanceof Error ? error.cause.message : error.message;
  }
}

/** Whether a program that answers 200 as soon as it is ready has got there. */
export async function isHttpReady(url: string): Promise<boolean> {
  return (await httpAnswer(url)) === '200';
}
