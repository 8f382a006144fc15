import type { SchemaElement } from 'hyparquet';
import { type Client, escapeIdentifier } from 'pg';

/** A column as it is archived. */
export interface ArchivedColumn {
  name: string;
  /** As PostgreSQL names its type, such as `timestamp with time zone`. */
  type: string;
}

type Value = string | bigint | number | boolean | Uint8Array | null;

interface ColumnFormat {
  parquet: Omit<SchemaElement, 'name' | 'repetition_type'>;
  /** SQL that gives the value as text without loss; `%` stands for the column. */
  select: string;
  toParquet(text: string): Value;
  /** The same text back, from what the reader gives. */
  toText(value: Value): string;
  /** Text as PostgreSQL's input takes it, where that is another. */
  toInput?: (text: string) => string;
}

const text: ColumnFormat = {
  parquet: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  select: '%::text',
  toParquet: (value) => value,
  toText: String,
};

/** Types that survive the way to Parquet and back bit for bit. Any other is refused. */
const formats: Readonly<Record<string, ColumnFormat>> = {
  text,
  'character(3)': text,
  // As text: a parsed number could lose digits.
  jsonb: text,
  uuid: {
    ...text,
    parquet: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } },
  },
  bigint: { ...text, parquet: { type: 'INT64' }, toParquet: BigInt },
  integer: { ...text, parquet: { type: 'INT32' }, toParquet: Number },
  boolean: { ...text, parquet: { type: 'BOOLEAN' }, toParquet: (value) => value === 'true' },
  bytea: {
    parquet: { type: 'BYTE_ARRAY' },
    select: "encode(%, 'hex')",
    toParquet: (value) => Buffer.from(value, 'hex'),
    toText: (value) => Buffer.from(value as Uint8Array).toString('hex'),
    toInput: (value) => `\\x${value}`,
  },
  'timestamp with time zone': {
    parquet: { type: 'INT64', converted_type: 'TIMESTAMP_MICROS' },
    // Microseconds: a JavaScript Date would drop three digits.
    select: '(extract(epoch from %) * 1000000)::bigint::text',
    toParquet: BigInt,
    toText: String,
    toInput: (value) => isoOf(BigInt(value)),
  },
};

/** @throws Error that names the first column whose type can't be archived. */
export function formatOf({ name, type }: ArchivedColumn): ColumnFormat {
  const format = formats[type];
  if (!format) throw new Error(`The column ${name} is of type ${type}, which the archive does not know.`);
  return format;
}

/** All columns as text, for a select list. */
export function selectList(columns: readonly ArchivedColumn[]): string {
  return columns.map((column) => formatOf(column).select.replace('%', escapeIdentifier(column.name))).join(', ');
}

/** The table's columns in their order. */
export async function columnsOf(client: Client, table: string): Promise<ArchivedColumn[]> {
  const { rows } = await client.query<ArchivedColumn>(
    `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
    [`public.${table}`],
  );
  return rows;
}

/** RFC 3339 with six digits, from microseconds since 1970. */
function isoOf(micros: bigint): string {
  const rest = ((micros % 1_000n) + 1_000n) % 1_000n;
  const iso = new Date(Number((micros - rest) / 1_000n)).toISOString();
  return `${iso.slice(0, -1)}${String(rest).padStart(3, '0')}Z`;
}
