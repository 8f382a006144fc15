/** U+001E, the record separator of RFC 7464: JSON text cannot contain it, since control characters are escaped there. */
const separator = '\x1e';

/**
 * JSON texts as one parameter, which `string_to_array($1, e'\x1e')` takes apart. In an array literal each of their
 * quotes would need a backslash, put in by us and taken out by the server: the dearest part of writing a batch.
 * @throws RangeError when a text is no JSON because it contains U+001E.
 */
export function joinJsonTexts(texts: readonly string[]): string {
  for (const text of texts) {
    if (text.includes(separator)) throw new RangeError('JSON text with a bare U+001E');
  }
  return texts.join(separator);
}
