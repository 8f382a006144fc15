import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { brotliCompress, deflate, gzip, zstdCompress } from 'node:zlib';
import type { QueryResult } from './engine.ts';

const compressors = {
  gzip: promisify(gzip),
  br: promisify(brotliCompress),
  zstd: promisify(zstdCompress),
  deflate: promisify(deflate),
} as const;

/** Sends a body, compressed where the client asked for it and accepts a way that we know. */
export async function send(
  request: IncomingMessage,
  response: ServerResponse,
  body: Uint8Array,
  wantsCompression: boolean,
): Promise<void> {
  const encoding = wantsCompression && body.length > 0 ? chooseEncoding(request) : undefined;
  const bytes = encoding ? await compressors[encoding](body) : body;
  if (encoding) response.setHeader('Content-Encoding', encoding);
  response.setHeader('Content-Length', bytes.length);
  response.end(bytes);
}

function chooseEncoding(request: IncomingMessage): keyof typeof compressors | undefined {
  const accepted = String(request.headers['accept-encoding'] ?? '')
    .split(',')
    .map((part) => part.split(';')[0]!.trim().toLowerCase());
  return (['gzip', 'zstd', 'br', 'deflate'] as const).find((name) => accepted.includes(name));
}

/** The JSON of the X-ClickHouse-Summary header: numbers as strings, like the server's. */
export function summaryOf(result: QueryResult): string {
  return JSON.stringify({
    read_rows: String(result.rowsRead),
    read_bytes: String(result.bytesRead),
    written_rows: String(result.rowsWritten ?? 0),
    written_bytes: String(result.bytesWritten ?? 0),
    total_rows_to_read: '0',
    result_rows: '0',
    result_bytes: String(result.bytes.length),
    elapsed_ns: String(Math.round(result.elapsedSeconds * 1e9)),
  });
}

/** The media type of a format, as the server names it. */
export function contentType(format: string): string {
  if (/EachRow|^NDJSON|^JSONLines/i.test(format) && /json/i.test(format)) return 'application/x-ndjson; charset=UTF-8';
  if (/^JSON/i.test(format)) return 'application/json; charset=UTF-8';
  if (/^CSV/i.test(format)) return 'text/csv; charset=UTF-8';
  if (/^(?:TSV|TabSeparated)/i.test(format)) return 'text/tab-separated-values; charset=UTF-8';
  if (/^(?:Native|RowBinary|Parquet|Arrow|ORC|Avro|MsgPack|Protobuf)/i.test(format)) return 'application/octet-stream';
  return 'text/plain; charset=UTF-8';
}
