/** How an arm looks in every chart: told apart by colour, by symbol and by the line's dashes. */
export interface Mark {
  colour: string;
  symbol: string;
  /** The same symbol as a character, for tables. */
  character: string;
  dash: 'solid' | 'dashed' | 'dotted' | number[];
}

/** The colours are Okabe and Ito's, which people with any of the common colour deficiencies can tell apart. */
const marks: readonly Mark[] = [
  { colour: '#0072b2', symbol: 'circle', character: '●', dash: 'solid' },
  { colour: '#d55e00', symbol: 'triangle', character: '▲', dash: 'dashed' },
  { colour: '#009e73', symbol: 'rect', character: '■', dash: [10, 4, 2, 4] },
  { colour: '#cc79a7', symbol: 'diamond', character: '◆', dash: 'dotted' },
  { colour: '#e69f00', symbol: 'pin', character: '▼', dash: [14, 4] },
];

/** The mark of the arm at this place of the document. */
export function markOf(position: number): Mark {
  return marks[position % marks.length]!;
}
