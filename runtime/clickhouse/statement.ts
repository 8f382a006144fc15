import { ClickhouseException, codes } from './exception.ts';

export interface Statement {
  /** The statement without a semicolon at its end. */
  text: string;
  /** Whether rows may follow: `insert … values`, `insert … format X`. */
  takesData: boolean;
  /** The name in its `format` clause. */
  format: string | undefined;
  /** Set for the plain form of an insert, whose data chdb takes as bytes. */
  plainInsert: { table: string; columns: string[] | undefined } | undefined;
}

/**
 * Looks at a statement as far as the protocol must: which format it asks for, whether data follows it, and that it is
 * one statement only, because a server refuses several and chdb would run them.
 * @throws ClickhouseException SYNTAX_ERROR, NOT_IMPLEMENTED
 */
export function readStatement(text: string): Statement {
  const code = blankOut(text);
  if (code.trim() === '') throw new ClickhouseException(codes.syntaxError, 'Empty query. (SYNTAX_ERROR)');
  const insert = /^\s*insert\s+into\b/i.test(code);
  const data = insert ? /\bformat\s+(\w+)|\bvalues\b/i.exec(code) : null;
  const selects = insert && /\b(?:select|with)\b/i.test(data ? code.slice(0, data.index) : code);
  if (selects && data && /\binput\s*\(/i.test(code)) {
    // chdb runs such a statement and reads no row of the data, which would lose it without a word.
    throw new ClickhouseException(
      codes.notImplemented,
      'insert … select from input() is not supported by chdb; insert into a table of engine Null with a ' +
        'materialized view on it. (NOT_IMPLEMENTED)',
    );
  }
  if (data && !selects) {
    return { text, takesData: true, format: data[1], plainInsert: plainInsert(text, data[1]) };
  }
  const end = code.indexOf(';');
  if (end >= 0 && /[^\s;]/.test(code.slice(end))) {
    throw new ClickhouseException(codes.syntaxError, 'Multi-statements are not allowed. (SYNTAX_ERROR)');
  }
  const format = /\bformat\s+(\w+)\s*(?:settings\b[^;]*)?;?\s*$/i.exec(code)?.[1];
  return { text: end < 0 ? text : text.slice(0, end), takesData: false, format, plainInsert: undefined };
}

const identifier = '[A-Za-z_][A-Za-z0-9_]*';
const simpleInsert = new RegExp(
  `^\\s*insert\\s+into\\s+(?:table\\s+)?(${identifier}(?:\\.${identifier})?)\\s*(?:\\(([^()]*)\\))?\\s*format\\s+\\w+\\s*$`,
  'i',
);
const byteFormats =
  /^(?:JSONEachRow|JSONCompactEachRow|CSV|CSVWithNames|TSV|TabSeparated|TSVWithNames|TabSeparatedWithNames)$/;

function plainInsert(text: string, format: string | undefined): Statement['plainInsert'] {
  const found = format && byteFormats.test(format) ? simpleInsert.exec(text) : null;
  if (!found) return undefined;
  const columns = found[2]?.split(',').map((name) => name.trim().replace(/^([`"])(.*)\1$/, '$2'));
  if (columns?.some((name) => !new RegExp(`^${identifier}$`).test(name))) return undefined;
  return { table: found[1]!, columns };
}

/** The statement with quoted text and comments blanked out, at unchanged positions. */
function blankOut(text: string): string {
  return text.replace(
    /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"|`(?:[^`\\]|\\[\s\S]|``)*`|--[^\n]*|#[! ][^\n]*|\/\*[\s\S]*?\*\//g,
    (found) => found.replace(/[^\n]/g, ' '),
  );
}
