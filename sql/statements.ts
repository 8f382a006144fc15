/** What a semicolon ends no statement in: comments, quoted text and names, and bodies of functions. */
const token = /--[^\n]*|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$|[\s\S]/g;

/** The statements of an SQL file, each with the comments before it and without its semicolon. */
export function statementsOf(text: string): string[] {
  const statements = [''];
  for (const [part] of text.matchAll(token)) {
    if (part === ';') statements.push('');
    else statements[statements.length - 1] += part;
  }
  return statements.map((statement) => statement.trim()).filter((statement) => /^(?!--)\S/m.test(statement));
}
