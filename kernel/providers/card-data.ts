/**
 * Where the numbers of payment cards begin, in their first four digits, and how many digits they have. Whatever else
 * passes the check digit, such as an IMEI or an EAN, is none. Visa's cards of 13 digits have long expired.
 */
const issuerRanges: readonly { from: number; to: number; lengths: readonly number[] }[] = [
  { from: 2200, to: 2204, lengths: [16, 17, 18, 19] }, // Mir
  { from: 2221, to: 2720, lengths: [16] }, // Mastercard
  { from: 3000, to: 3059, lengths: [14, 16, 17, 18, 19] }, // Diners Club, as 3095, 36, 38 and 39
  { from: 3095, to: 3095, lengths: [14, 16, 17, 18, 19] },
  { from: 3400, to: 3499, lengths: [15] }, // American Express, as 37
  { from: 3528, to: 3589, lengths: [16, 17, 18, 19] }, // JCB
  { from: 3600, to: 3699, lengths: [14, 16, 17, 18, 19] },
  { from: 3700, to: 3799, lengths: [15] },
  { from: 3800, to: 3999, lengths: [14, 16, 17, 18, 19] },
  { from: 4000, to: 4999, lengths: [16, 18, 19] }, // Visa
  { from: 5018, to: 5020, lengths: [14, 15, 16, 17, 18, 19] }, // Maestro, as 5038, 5893, 6304, 6390 and 6759 to 6763
  { from: 5038, to: 5038, lengths: [14, 15, 16, 17, 18, 19] },
  { from: 5081, to: 5099, lengths: [16] }, // RuPay, Elo
  { from: 5100, to: 5599, lengths: [16] }, // Mastercard
  { from: 5893, to: 5893, lengths: [14, 15, 16, 17, 18, 19] },
  { from: 6000, to: 6199, lengths: [16, 17, 18, 19] }, // Discover, RuPay, Hipercard
  { from: 6200, to: 6299, lengths: [16, 17, 18, 19] }, // UnionPay
  { from: 6304, to: 6304, lengths: [14, 15, 16, 17, 18, 19] },
  { from: 6362, to: 6371, lengths: [16] }, // Elo, Hipercard
  { from: 6390, to: 6390, lengths: [14, 15, 16, 17, 18, 19] },
  { from: 6440, to: 6599, lengths: [16, 17, 18, 19] }, // Discover
  { from: 6759, to: 6763, lengths: [14, 15, 16, 17, 18, 19] },
];
const shortest = 14;
const longest = 19;

/** Fourteen digits and more, perhaps in groups. */
const digitRun = /[0-9](?:[ \u00a0-]?[0-9]){13,}/g;
/** Whether there is one: to ask costs less than to look for them. */
const hasDigitRun = /[0-9](?:[ \u00a0-]?[0-9]){13}/;

/** Places of card numbers in a text: from the first digit to behind the last one. */
function cardNumbersIn(text: string): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  if (!hasDigitRun.test(text)) return found;
  for (const run of text.matchAll(digitRun)) findInRun(text, run.index, run.index + run[0].length, found);
  return found;
}

/**
 * A card number begins and ends where a group does. Numbers inside of a word are left alone, since digests and
 * identifiers would otherwise match by chance, and so are the digits of a fraction.
 */
function findInRun(text: string, start: number, end: number, found: { start: number; end: number }[]): void {
  const places: number[] = [];
  for (let at = start; at < end; at += 1) if (isDigit(text.charCodeAt(at))) places.push(at);
  const digits = places.map((at) => text.charCodeAt(at) - zero);
  const begins = (first: number): boolean =>
    first === 0
      ? !/(?:[0-9A-Za-z]|[0-9]\.)$/.test(text.slice(Math.max(0, start - 2), start))
      : places[first - 1] !== places[first]! - 1;
  const ends = (last: number): boolean =>
    last === places.length - 1
      ? !/^(?:[0-9A-Za-z]|\.[0-9])/.test(text.slice(end, end + 2))
      : places[last + 1] !== places[last]! + 1;
  for (let first = 0; first + shortest <= places.length; first += 1) {
    if (!begins(first)) continue;
    for (let length = Math.min(longest, places.length - first); length >= shortest; length -= 1) {
      const last = first + length - 1;
      if (!ends(last) || !isCardNumber(digits, first, length)) continue;
      found.push({ start: places[first]!, end: places[last]! + 1 });
      first = last;
      break;
    }
  }
}

const zero = 48;
const isDigit = (code: number): boolean => code >= zero && code <= 57;

/** By the first four digits, a bit for each length that a number may have. */
const lengthsByBeginning = new Uint32Array(10_000);
for (const { from, to, lengths } of issuerRanges) {
  for (let beginning = from; beginning <= to; beginning += 1) {
    for (const length of lengths) lengthsByBeginning[beginning]! |= 1 << length;
  }
}

function isCardNumber(digits: readonly number[], first: number, length: number): boolean {
  let beginning = 0;
  for (let at = first; at < first + 4; at += 1) beginning = beginning * 10 + digits[at]!;
  return ((lengthsByBeginning[beginning]! >> length) & 1) === 1 && passesLuhn(digits, first, length);
}

/** The check digit of ISO/IEC 7812-1, annex B. */
function passesLuhn(digits: readonly number[], first: number, length: number): boolean {
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const digit = digits[first + length - 1 - i]!;
    const weighted = i % 2 === 0 ? digit : digit * 2;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return sum % 10 === 0;
}

export function containsCardNumber(text: string): boolean {
  return cardNumbersIn(text).length > 0;
}

/** The text with `*` for every digit of a card number but the last four. */
export function maskCardNumbers(text: string): string {
  let masked = '';
  let end = 0;
  for (const number of cardNumbersIn(text)) {
    masked +=
      text.slice(end, number.start) +
      text.slice(number.start, number.end).replace(/[0-9](?=(?:[^0-9]*[0-9]){4})/g, '*');
    end = number.end;
  }
  return masked + text.slice(end);
}

/** Names of a card's security code, in lower case and without spaces and punctuation. */
const securityCodes = new Set([
  'cvv',
  'cvc',
  'cvv2',
  'cvc2',
  'securitycode',
  'cardsecuritycode',
  'cardverificationvalue',
]);
const plainName = (key: string): string => key.toLowerCase().replace(/[^a-z0-9]/g, '');
export const isSecurityCode = (key: string): boolean => securityCodes.has(plainName(key));

/** Names under which the merchant's own API takes nothing. */
const cardNumberNames = new Set(['pan', 'cardnumber', 'primaryaccountnumber']);

/** Whether a field's name says that it holds card data. */
export function namesCardData(name: string): boolean {
  return isSecurityCode(name) || cardNumberNames.has(plainName(name)) || containsCardNumber(name);
}
