/** A fenced block of a guide. */
export interface Block {
  /** Of its first line in the guide, from 1. */
  line: number;
  language: string;
  text: string;
}

/** A block of commands that a guide has its reader type. */
export interface Step {
  line: number;
  commands: string;
  /** What the first line asks for, as in `# needs Docker`; undefined where every machine can run it. */
  needs: string | undefined;
  /** As the first line says, as in `# takes 5 minutes` or `# needs Citus, takes 5 minutes`. */
  duration: string | undefined;
  /** Lines that the commands print, in this order and among others; `…` stands for anything. */
  output: string[];
}

/** The fenced blocks of a Markdown document. */
export function fencedBlocks(text: string): Block[] {
  const blocks: Block[] = [];
  let open: Block | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^```(.*)$/.exec(line);
    if (fence && !open) open = { line: index + 2, language: fence[1]!.trim(), text: '' };
    else if (fence && open) {
      blocks.push(open);
      open = undefined;
    } else if (open) open.text += `${line}\n`;
  }
  return blocks;
}

/** The commands of a guide, each with the output that the guide shows below them. */
export function stepsOf(guide: string): Step[] {
  const steps: Step[] = [];
  for (const { line, language, text } of fencedBlocks(guide)) {
    if (language === 'sh') {
      const condition = /^# (?:needs ([^,\n]+))?(?:, )?(?:takes (\d+ minutes?))?$/m.exec(text.split('\n', 1)[0]!);
      const [, needs, duration] = condition ?? [];
      steps.push({ line, commands: text, needs, duration, output: [] });
    } else if (language === 'output') {
      steps.at(-1)?.output.push(...text.trimEnd().split('\n'));
    }
  }
  return steps;
}

/** The first of the promised lines that was not printed after those before it; undefined when all were. */
export function missingLine(promised: readonly string[], printed: string): string | undefined {
  let from = 0;
  const lines = printed.split('\n').map(squeeze);
  for (const line of promised) {
    const parts = squeeze(line)
      .split(/ ?… ?/)
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const pattern = new RegExp(parts.join('.*'));
    const found = lines.findIndex((one, index) => index >= from && pattern.test(one));
    if (found === -1) return line;
    from = found + 1;
  }
  return undefined;
}

function squeeze(line: string): string {
  return line.replace(/\s+/g, ' ').trim();
}
