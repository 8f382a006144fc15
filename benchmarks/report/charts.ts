import { type EChartsOption, init } from 'echarts';
import { Html } from '../../kernel/html.ts';
import type { Mark } from './marks.ts';

const width = 960;
const font = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const ink = '#1d2733';
const faint = '#5b6775';

/** Draws without a browser. @param label what the picture shows, for those who can't see it */
export function drawChart(option: EChartsOption, label: string, height = 360): Html {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  chart.setOption({
    animation: false,
    textStyle: { fontFamily: font, color: ink, fontSize: 13 },
    grid: { left: 76, right: 28, top: 48, bottom: 58 },
    ...option,
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  const labelled = svg.replace('<svg ', `<svg role="img" aria-label="${label.replace(/[&<>"]/g, ' ')}" `);
  return new Html(`<div class="scroll">${labelled}</div>`);
}

/** An axis with its name in the middle and lines that stay in the background. */
export function axis(name: string, vertical: boolean, extra: Record<string, unknown> = {}) {
  return {
    type: 'value' as const,
    name,
    nameLocation: 'middle' as const,
    nameGap: vertical ? 56 : 34,
    nameTextStyle: { color: faint, fontSize: 13 },
    axisLabel: { color: faint, hideOverlap: true },
    axisLine: { show: true, lineStyle: { color: '#9aa5b1' } },
    splitLine: { lineStyle: { color: '#e4e8ec' } },
    ...extra,
  };
}

/** An axis with a place for each arm, the first one on top. */
export function armAxis(names: readonly string[]) {
  return {
    type: 'category' as const,
    data: [...names],
    inverse: true,
    axisTick: { show: false },
    axisLabel: { fontSize: 14 },
  };
}

/** Names of the series at the top, with their symbols. */
export const legend = { top: 6, left: 70, itemWidth: 34, itemGap: 26, textStyle: { color: ink, fontSize: 13 } };

/** The look of an arm's line. */
export function lineStyle(mark: Mark) {
  return {
    symbol: mark.symbol,
    symbolSize: 9,
    itemStyle: { color: mark.colour },
    lineStyle: { color: mark.colour, width: 2.2, type: mark.dash },
  };
}

/** A dashed line across the chart with a text at its end. */
export function limitLine(value: number, text: string) {
  return {
    silent: true,
    symbol: 'none',
    lineStyle: { color: ink, type: 'dashed' as const, width: 1.2 },
    label: { formatter: text, position: 'insideStartTop' as const, color: ink, fontSize: 12 },
    data: [{ yAxis: value }],
  };
}
