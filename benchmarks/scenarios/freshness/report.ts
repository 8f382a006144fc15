import { html } from '../../../kernel/html.ts';
import type { ScenarioReport } from '../scenario.ts';
import type { FreshnessDocument } from './document.ts';
import { freshnessSection } from './section.ts';

export const freshnessReport: ScenarioReport = {
  sections: [({ document: { freshness } }) => (freshness ? freshnessSection(freshness) : html``)],
  own: (document) => freshnessSection(document as FreshnessDocument),
};
