import { readFile } from 'node:fs/promises';
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';

export interface Expression {
  /** As in `pipeline: p99 by stage`. */
  where: string;
  /** PromQL without Grafana's variables. */
  text: string;
}

/** What an expression reads. */
export interface Parsed {
  /** As in `webhook_batch_size_sum`. */
  metrics: string[];
  /** Labels that it selects or groups by. */
  labels: string[];
  /** Text that the grammar does not know; empty in an expression that Prometheus takes. */
  errors: string[];
}

interface Target {
  expr?: string;
  rawSql?: string;
  datasource?: { type: string; uid: string };
}

export interface Dashboard {
  uid: string;
  title: string;
  panels: {
    id: number;
    type: string;
    title?: string;
    description?: string;
    targets?: Target[];
    gridPos: { x: number; y: number; w: number; h: number };
  }[];
  templating: { list?: { name: string; query?: string }[] };
  annotations: { list: { target: { tags: string[] } }[] };
}

export async function readDashboard(file: URL): Promise<Dashboard> {
  return JSON.parse(await readFile(file, 'utf8'));
}

/** The PromQL of a dashboard's panels, with Grafana's variables as Grafana would fill them in. */
export function expressionsOf(dashboard: Dashboard): Expression[] {
  return dashboard.panels.flatMap((panel) =>
    (panel.targets ?? []).flatMap(({ expr }) =>
      expr === undefined ? [] : [{ where: `${dashboard.title}: ${panel.title}`, text: withoutVariables(expr) }],
    ),
  );
}

/** `$topology` and the like become what `All` stands for. */
export function withoutVariables(expression: string, rateInterval = '1m'): string {
  return expression.replaceAll('$__rate_interval', rateInterval).replaceAll(/\$(topology|service)\b/g, '.+');
}

export interface AlertRule {
  alert: string;
  expr: string;
  for?: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export async function readAlertRules(file: URL): Promise<AlertRule[]> {
  const document: { groups: { rules: AlertRule[] }[] } = parse(await readFile(file, 'utf8'));
  return document.groups.flatMap(({ rules }) => rules);
}

/** Reads an expression with Prometheus' own grammar. */
export function parsePromql(text: string): Parsed {
  const parsed: Parsed = { metrics: [], labels: [], errors: [] };
  const textOf = (node: SyntaxNode): string => text.slice(node.from, node.to);
  parser.parse(text).iterate({
    enter: ({ type, node }) => {
      if (type.isError) parsed.errors.push(`at ${node.from}: ${text.slice(Math.max(0, node.from - 10), node.to + 10)}`);
      else if (type.name === 'VectorSelector') {
        const name = node.getChild('Identifier');
        if (name) parsed.metrics.push(textOf(name));
        else parsed.errors.push(`at ${node.from}: a selector without a metric`);
      } else if (type.name === 'LabelName') parsed.labels.push(textOf(node));
    },
  });
  return parsed;
}
