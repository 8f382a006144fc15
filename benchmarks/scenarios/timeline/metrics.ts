import type { TurnKind } from '../../schema/turn.ts';
import { type TimelineData, timelineData } from './data.ts';

export const timelineTurn: TurnKind<TimelineData> = {
  name: 'timeline',
  data: timelineData,
  metrics: ({ results }) =>
    Object.fromEntries(
      results.flatMap((result) => {
        const name = `timeline/${result.query}/${result.order}/${result.cache}`;
        return [
          [`${name}/ms`, result.executionMs + result.planningMs],
          [`${name}/pages`, result.pagesHit + result.pagesRead],
        ];
      }),
    ),
};
