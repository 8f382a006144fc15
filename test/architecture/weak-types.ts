import { code, isTest, linesMatching, type Rule, withoutComments } from './source.ts';

const weakType = /\bRecord<string, (?:never|any)>|\bas (?:any|never)\b|: any\b|<any>/;
const switchedOff = /^\s*\/[/*]+ @ts-(?:ignore|nocheck|expect-error)/;

/** Types that are switched off hide what a change breaks. Tests may: they hand over what the types forbid. */
export const typesStayOn: Rule = (files) =>
  code(files)
    .filter((file) => !isTest(file.path) && file.path.endsWith('.ts'))
    .flatMap((file) =>
      linesMatching(withoutComments(file.text), weakType)
        .concat(linesMatching(file.text, switchedOff))
        .map((line) => `${file.path}:${line}: switches types off`),
    );
