import { expect, test } from 'vitest';
import { createRandom } from '../simulator/workload/random.ts';
import { faults, planPromotions } from './schedule.ts';

test('the same seed plans the same promotions, another seed others', () => {
  expect(planPromotions(20, createRandom(3, 77))).toEqual(planPromotions(20, createRandom(3, 77)));
  expect(planPromotions(20, createRandom(3, 77))).not.toEqual(planPromotions(20, createRandom(4, 77)));
});

test('twenty promotions meet every fault', () => {
  for (const seed of [1, 2, 3]) {
    expect(new Set(planPromotions(20, createRandom(seed, 77)).map(({ fault }) => fault))).toEqual(new Set(faults));
  }
});
