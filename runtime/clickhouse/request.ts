import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '../../kernel/http/errors.ts';
import { readBytes } from '../../kernel/http/read-bytes.ts';
import { ClickhouseException, codes } from './exception.ts';

/** What a request says besides its body. */
export interface RequestParts {
  /** Of the URL; the body is appended to it. */
  query: string;
  database: string | undefined;
  user: string | undefined;
  password: string | undefined;
  queryId: string | undefined;
  format: string | undefined;
  compressResponse: boolean;
  settings: [name: string, value: string][];
  parameters: [name: string, value: string][];
}

/** Parameters of the protocol that are no settings of the query. */
const protocol = new Set([
  'query',
  'database',
  'user',
  'password',
  'query_id',
  'default_format',
  'quota_key',
  'role',
  'stacktrace',
  'enable_http_compression',
  'http_zlib_compression_level',
  'wait_end_of_query',
  'buffer_size',
  'client_protocol_version',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'add_http_cors_header',
  'cancel_http_readonly_queries_on_client_close',
  'send_timeout',
  'receive_timeout',
  'connect_timeout',
]);

/** Parameters whose effect would be missed, so they are refused instead of ignored. */
const unsupported = ['session_id', 'session_check', 'compress', 'decompress'];

/** Reads URL and headers. @throws ClickhouseException NOT_IMPLEMENTED */
export function readParts(request: IncomingMessage): RequestParts {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const given = url.searchParams;
  for (const name of unsupported) {
    if (!['', '0', 'false', null].includes(given.get(name))) {
      throw new ClickhouseException(codes.notImplemented, `${name} is not supported here. (NOT_IMPLEMENTED)`);
    }
  }
  const header = (name: string) => request.headers[`x-clickhouse-${name}`]?.toString();
  const basic = readBasic(request.headers.authorization);
  const settings: RequestParts['settings'] = [];
  const parameters: RequestParts['parameters'] = [];
  for (const [name, value] of given) {
    if (name.startsWith('param_')) parameters.push([name.slice('param_'.length), value]);
    else if (!protocol.has(name) && !unsupported.includes(name)) settings.push([name, value]);
  }
  return {
    query: given.get('query') ?? '',
    database: given.get('database') || header('database') || undefined,
    user: given.get('user') ?? header('user') ?? basic?.user,
    password: given.get('password') ?? header('key') ?? basic?.password,
    queryId: given.get('query_id') || undefined,
    format: given.get('default_format') || header('format') || undefined,
    compressResponse: ['1', 'true'].includes(given.get('enable_http_compression') ?? '0'),
    settings,
    parameters,
  };
}

function readBasic(authorization: string | undefined): { user: string; password: string } | undefined {
  const encoded = /^Basic\s+([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '')?.[1];
  if (!encoded) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? { user: text, password: '' } : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/**
 * The whole body, decompressed. A server would read it as a stream; chdb takes a statement at once.
 * @throws ClickhouseException TOO_MANY_BYTES, CANNOT_DECOMPRESS, NOT_IMPLEMENTED for an unknown encoding
 */
export async function readBody(request: IncomingMessage, response: ServerResponse, maxBytes: number): Promise<Buffer> {
  try {
    return await readBytes(request, response, maxBytes);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === 'payload_too_large') {
      throw new ClickhouseException(codes.tooManyBytes, `The body exceeds ${maxBytes} bytes. (TOO_MANY_BYTES)`);
    }
    if (error.code === 'unsupported_media_type') {
      const encoding = request.headers['content-encoding'];
      throw new ClickhouseException(codes.notImplemented, `Unknown Content-Encoding ${encoding}. (NOT_IMPLEMENTED)`);
    }
    throw new ClickhouseException(codes.cannotDecompress, 'Cannot decompress the body. (CANNOT_DECOMPRESS)');
  }
}
