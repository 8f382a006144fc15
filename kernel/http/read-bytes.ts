import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { type AppError, fieldRefusal } from './errors.ts';

const decoders: Readonly<Record<string, () => Duplex>> = {
  gzip: () => createGunzip(),
  deflate: () => createInflate(),
  br: () => createBrotliDecompress(),
  zstd: () => createZstdDecompress(),
};

/** Whether the request has a body, if only an empty one that comes in chunks. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * The body, decompressed. A client that waits for `100 Continue` gets it here, so that whatever is refused before is
 * refused unsent. What exceeds `maxBytes`, before or after decompression, is refused as soon as that is known, and the
 * rest is not read.
 * @throws AppError payload_too_large; unsupported_media_type for an unknown encoding; malformed_body for a body that
 * breaks off or can't be decompressed
 */
export async function readBytes(request: IncomingMessage, response: ServerResponse, maxBytes: number): Promise<Buffer> {
  if (!hasBody(request)) return Buffer.alloc(0);
  // A request that has broken off already tells nothing to those who begin to listen.
  if (request.destroyed && !request.complete) throw brokenOff();
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const decoder = decoderOf(request);
  if (request.headers.expect !== undefined && request.httpVersion === '1.1') response.writeContinue();
  return decoder ? collectDecoded(request, decoder, maxBytes) : collect(request, maxBytes);
}

function collect(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else stop(tooLarge(maxBytes));
    };
    const onEnd = (): void => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    const onBroken = (): void => stop(brokenOff());
    const stop = (error: AppError): void => {
      request.off('data', onData).off('end', onEnd).pause();
      reject(error);
    };
    request.on('data', onData).on('end', onEnd).on('error', onBroken).on('aborted', onBroken);
  });
}

function collectDecoded(request: IncomingMessage, decoder: Duplex, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let received = 0;
    let size = 0;
    const stop = (error: AppError): void => {
      request.unpipe(decoder);
      request.off('data', onReceived).pause();
      decoder.destroy();
      reject(error);
    };
    // Counted too, since any number of compressed bytes may decompress to nothing.
    const onReceived = (chunk: Buffer): void => {
      received += chunk.length;
      if (received > maxBytes) stop(tooLarge(maxBytes));
    };
    request.on('data', onReceived).on('error', () => stop(brokenOff()));
    decoder
      .on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= maxBytes) chunks.push(chunk);
        else stop(tooLarge(maxBytes));
      })
      .on('end', () => resolve(Buffer.concat(chunks)))
      .on('error', () =>
        stop(fieldRefusal('malformed_body', 'body', 'could not be decompressed; check Content-Encoding')),
      );
    request.pipe(decoder);
  });
}

function decoderOf(request: IncomingMessage): Duplex | undefined {
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase();
  if (encoding === 'identity') return undefined;
  const create = Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined;
  if (!create) {
    throw fieldRefusal('unsupported_media_type', 'Content-Encoding', 'use gzip, deflate, br, zstd or none');
  }
  return create();
}

function tooLarge(maxBytes: number): AppError {
  return fieldRefusal('payload_too_large', 'body', `must be at most ${maxBytes} bytes, counted after decompression`);
}

function brokenOff(): AppError {
  return fieldRefusal('malformed_body', 'body', 'must arrive whole; the request broke off');
}
