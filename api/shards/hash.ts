/**
 * PostgreSQL's hash of a text (Jenkins' lookup3 over its UTF-8 bytes), by which Citus chooses a row's shard: the same
 * number as `worker_hash(text)`, a signed 32-bit integer. Computed here so that a webhook can be sent to the worker
 * that has its shard without asking a server first. A wrong number would cost a detour and nothing else: every node
 * takes every row.
 */
export function hashText(text: string): number {
  const bytes = Buffer.from(text, 'utf8');
  const state: State = { a: 0, b: 0, c: 0 };
  state.a = state.b = state.c = (0x9e3779b9 + bytes.length + 3923095) | 0;
  let at = 0;
  for (; bytes.length - at >= 12; at += 12) {
    state.a = (state.a + bytes.readInt32LE(at)) | 0;
    state.b = (state.b + bytes.readInt32LE(at + 4)) | 0;
    state.c = (state.c + bytes.readInt32LE(at + 8)) | 0;
    mix(state);
  }
  const tail = (from: number, shift: number, count: number): number => {
    let sum = 0;
    for (let index = 0; index < count; index += 1) {
      sum = (sum + ((bytes[at + from + index] ?? 0) << (shift + 8 * index))) | 0;
    }
    return sum;
  };
  state.a = (state.a + tail(0, 0, 4)) | 0;
  state.b = (state.b + tail(4, 0, 4)) | 0;
  // The lowest byte of c stands for the length, which is in there from the beginning.
  state.c = (state.c + tail(8, 8, 3)) | 0;
  finish(state);
  return state.c;
}

interface State {
  a: number;
  b: number;
  c: number;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function mix(s: State): void {
  s.a = ((s.a - s.c) ^ rotate(s.c, 4)) | 0;
  s.c = (s.c + s.b) | 0;
  s.b = ((s.b - s.a) ^ rotate(s.a, 6)) | 0;
  s.a = (s.a + s.c) | 0;
  s.c = ((s.c - s.b) ^ rotate(s.b, 8)) | 0;
  s.b = (s.b + s.a) | 0;
  s.a = ((s.a - s.c) ^ rotate(s.c, 16)) | 0;
  s.c = (s.c + s.b) | 0;
  s.b = ((s.b - s.a) ^ rotate(s.a, 19)) | 0;
  s.a = (s.a + s.c) | 0;
  s.c = ((s.c - s.b) ^ rotate(s.b, 4)) | 0;
  s.b = (s.b + s.a) | 0;
}

function finish(s: State): void {
  s.c = ((s.c ^ s.b) - rotate(s.b, 14)) | 0;
  s.a = ((s.a ^ s.c) - rotate(s.c, 11)) | 0;
  s.b = ((s.b ^ s.a) - rotate(s.a, 25)) | 0;
  s.c = ((s.c ^ s.b) - rotate(s.b, 16)) | 0;
  s.a = ((s.a ^ s.c) - rotate(s.c, 4)) | 0;
  s.b = ((s.b ^ s.a) - rotate(s.a, 14)) | 0;
  s.c = ((s.c ^ s.b) - rotate(s.b, 24)) | 0;
}
