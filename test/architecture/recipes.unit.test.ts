import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { scenarios } from '../../benchmarks/scenarios/registry.ts';
import { providers } from '../../kernel/providers/index.ts';
import { topologyNames } from '../../kernel/topology.ts';
import { file } from './cases.ts';
import { type Members, readRecipes, recipesAreTrue } from './recipes.ts';
import { readRepository } from './source.ts';

const providerNames = providers.map(({ name }) => name);

/** What exists of each kind; a noun is what has a store of its own. */
const existing: Members[] = [
  { kind: 'provider', names: providerNames, standAlone: providerNames },
  {
    kind: 'scenario',
    names: scenarios.map(({ name }) => name),
    // Written, and only where a scenario compares topologies.
    optional: ['benchmarks/schema/run.schema.json'],
    // The others drive their load with parts of ingest, and a comparison takes freshness along.
    standAlone: ['timeline', 'reads', 'acceptance', 'transfers'],
  },
  // A topology may have the schema of another one.
  { kind: 'topology', names: topologyNames, optional: ['sql/topologies/<topology>/'], standAlone: [] },
  // The tables of these two are older: they differ between topologies, and have files there.
  { kind: 'noun', names: ['orders', 'disputes'], optional: ['sql/base/<number>_<noun>.sql'], standAlone: [] },
];

test('the recipes of CONTRIBUTING are what every provider, scenario, topology and noun keeps', async () => {
  const files = await readRepository(path.resolve(import.meta.dirname, '../..'));
  const contributing = files.find((one) => one.path === 'CONTRIBUTING.md')!;
  expect(recipesAreTrue(files, contributing, existing)).toEqual([]);
});

describe('a recipe', () => {
  const document = file(
    'CONTRIBUTING.md',
    '## Add a provider',
    '',
    '- `kernel/providers/<provider>.ts`: verifies; see `kernel/config/load.ts`.',
    '- `kernel/providers/<number>_<provider>/`',
    '- `kernel/providers/index.ts`: one line.',
    '',
    '## Change the schema',
    '- `sql/a.sql`',
  );
  const kept = [
    file('kernel/providers/stripe.ts'),
    file('kernel/providers/01_stripe/a.json'),
    file('kernel/providers/index.ts', "import { stripe } from './stripe.ts';"),
    file('kernel/providers/stripe.unit.test.ts', "import { stripe } from './stripe.ts';"),
  ];
  const members: Members = { kind: 'provider', names: ['stripe'], standAlone: ['stripe'] };

  test('is read from the list below its heading', () => {
    const paths = [
      'kernel/providers/<provider>.ts',
      'kernel/providers/<number>_<provider>/',
      'kernel/providers/index.ts',
    ];
    const named = paths.toSpliced(1, 0, 'kernel/config/load.ts');
    expect(readRecipes(document)).toEqual([{ kind: 'provider', paths, named }]);
  });

  test('is true where every member keeps it', () => {
    expect(recipesAreTrue(kept, document, [members])).toEqual([]);
  });

  test('is false where a member lacks a file, or a file does not name it', () => {
    expect(recipesAreTrue(kept, document, [{ ...members, names: ['adyen'] }])).toEqual([
      'CONTRIBUTING.md: a provider: adyen has no kernel/providers/adyen.ts',
      'CONTRIBUTING.md: a provider: adyen has no kernel/providers/<number>_adyen/',
      'CONTRIBUTING.md: a provider: kernel/providers/index.ts does not name adyen',
    ]);
  });

  test('is false where a file that it does not name imports a member', () => {
    const elsewhere = file('api/a.ts', "import { stripe } from '../kernel/providers/stripe.ts';");
    expect(recipesAreTrue([...kept, elsewhere], document, [members])).toEqual([
      'CONTRIBUTING.md: a provider: api/a.ts imports stripe, and the recipe does not name it',
    ]);
    expect(recipesAreTrue([...kept, elsewhere], document, [{ ...members, standAlone: [] }])).toEqual([]);
  });

  test('has to be there', () => {
    expect(recipesAreTrue(kept, document, [{ ...members, kind: 'noun' }])).toEqual([
      'CONTRIBUTING.md: no recipe that lists files for a noun',
    ]);
  });
});
