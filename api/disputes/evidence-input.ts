import { z } from 'zod';
import { controlCharacters } from '../../kernel/contract/fields.ts';
import { containsCardNumber, namesCardData } from '../../kernel/providers/card-data.ts';

const mebibyte = 1024 * 1024;

/** Bounds of what a merchant may send. A provider takes a few megabytes per dispute, so more would be refused there. */
export const evidenceLimits = {
  fieldCharacters: 20_000,
  fieldsTotalCharacters: 150_000,
  fieldsPerRequest: 50,
  filesPerRequest: 5,
  fileBytes: 2 * mebibyte,
  entriesPerDispute: 50,
  filesPerDispute: 20,
  bytesPerDispute: 5 * mebibyte,
  /** Of the JSON body: the files of one request in base64, and the fields. */
  bodyBytes: 8 * mebibyte,
} as const;

const fieldNamePattern = /^[a-z][a-z0-9_]{0,63}$/;
const fieldName = z
  .string()
  .regex(fieldNamePattern, 'field names have 1 to 64 lower-case letters, digits or _')
  .refine((name) => !namesCardData(name), 'card secrets must not be sent');

const fieldText = z
  .string()
  .min(1)
  .max(evidenceLimits.fieldCharacters)
  .refine((text) => !containsCardNumber(text), 'must not contain card numbers');

export const evidenceFields = z
  .record(fieldName, fieldText)
  .refine((fields) => Object.keys(fields).length <= evidenceLimits.fieldsPerRequest, 'too many fields')
  .refine(
    (fields) =>
      Object.values(fields).reduce((sum, text) => sum + text.length, 0) <= evidenceLimits.fieldsTotalCharacters,
    `must have at most ${evidenceLimits.fieldsTotalCharacters} characters together`,
  )
  .meta({
    description:
      `Texts by name, of at most ${evidenceLimits.fieldsTotalCharacters} characters together. Card numbers, and names ` +
      'of card secrets such as cvc, are refused.',
    propertyNames: { pattern: fieldNamePattern.source },
    maxProperties: evidenceLimits.fieldsPerRequest,
  });

/** Accepted types, each with the bytes that such a file begins with. */
const fileTypes: Readonly<Record<string, Buffer>> = {
  'application/pdf': Buffer.from('%PDF-'),
  'image/png': Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
  'image/jpeg': Buffer.from([0xff, 0xd8, 0xff]),
  'text/plain': Buffer.alloc(0),
};

/** A file as it was sent, decoded. */
export const evidenceFile = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(255)
      .refine((name) => !/[\p{Cc}/\\]/u.test(name), 'must not contain slashes or control characters')
      .meta({ pattern: `^[^${controlCharacters}/\\\\]*$` }),
    content_type: z.enum(Object.keys(fileTypes) as [string, ...string[]]),
    content_base64: z
      .string()
      .regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, 'must be base64')
      .meta({
        minLength: 4,
        maxLength: Math.ceil(evidenceLimits.fileBytes / 3) * 4,
        description:
          `At most ${evidenceLimits.fileBytes} bytes decoded, which begin as files of the type do. Text must not contain ` +
          'card numbers.',
      }),
  })
  .transform((file) => ({
    name: file.name,
    contentType: file.content_type,
    content: Buffer.from(file.content_base64, 'base64'),
  }))
  .superRefine((file, context) => {
    const refuse = (message: string) => context.addIssue({ code: 'custom', path: ['content_base64'], message });
    const { content, contentType } = file;
    if (content.length === 0) refuse('must not be empty');
    if (content.length > evidenceLimits.fileBytes) refuse(`must be at most ${evidenceLimits.fileBytes} bytes decoded`);
    const start = fileTypes[contentType]!;
    if (!content.subarray(0, start.length).equals(start)) refuse(`is not ${contentType}`);
    if (contentType === 'text/plain' && containsCardNumber(content.toString('utf8'))) {
      refuse('must not contain card numbers');
    }
  });
