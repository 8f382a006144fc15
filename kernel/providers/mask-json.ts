import { containsCardNumber, isSecurityCode, maskCardNumbers } from './card-data.ts';

/** An escape that may hide a digit or a letter, or that stands before a digit like a letter. */
const telling = /\\(?:u00[2-7]|(?:[bfnrt]|u[0-9a-f]{4})[0-9])/i;
/** A security code under a name of its own. `cvc_check` and the like, which hold a word, are common. */
const securityCode =
  /(?:[cC][vV][cCvV]2?|[sS]ecurity[ _-]?[cC]ode|[vV]erification[ _-]?[vV]alue)[^a-zA-Z0-9"]*"\s*:\s*(?:\[\s*)?"?[0-9]{3,4}[^0-9.]/;
/** Strings and numbers of a JSON text. */
const token = /"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9][0-9.eE+-]*/g;

/**
 * JSON text without card numbers and security codes: their digits become `*`, but for a number's last four. What is a
 * number in JSON becomes a string then. Names, values of names that come twice and escaped digits are masked too, since
 * the text is what is stored. Texts without card data are returned as they are, after a search that costs little.
 */
export function maskJson(text: string): string {
  const searched = securityCode.test(text) || containsCardNumber(text) || (text.includes('\\') && telling.test(text));
  return searched ? maskTokens(text) : text;
}

function maskTokens(text: string): string {
  let underSecurityCode = false;
  return text.replace(token, (found, at: number) => {
    const isString = found.startsWith('"');
    const value: string = isString ? JSON.parse(found) : found;
    if (isString && /^\s*:/.test(text.slice(at + found.length, at + found.length + 64))) {
      underSecurityCode = isSecurityCode(value);
    } else if (underSecurityCode && /^[0-9]{3,4}$/.test(value)) {
      return JSON.stringify('*'.repeat(value.length));
    }
    const masked = maskCardNumbers(value);
    return masked === value ? found : JSON.stringify(masked);
  });
}
