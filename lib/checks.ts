import { invalidArgType, invalidArgValue } from './errors.js';

/** How many letters have to change to make one word of the other, upper or lower case alike. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const same = a[i]?.toLowerCase() === b[j]?.toLowerCase();
      next.push(Math.min((row[j] ?? 0) + (same ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
};

/** Refuses a key that is not known, and names the one that was probably meant. */
export const rejectUnknown = (options: object, known: readonly string[], name = 'options'): void => {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const [nearest] = known.toSorted((a, b) => distance(key, a) - distance(key, b));
    const hint = nearest !== undefined && distance(key, nearest) <= 3 ? `: did you mean '${nearest}'?` : '';
    throw invalidArgValue(`${name}.${key}`, `is not an option${hint}`, (options as Record<string, unknown>)[key]);
  }
};

/** The options of a method: an object or nothing, with keys that are known. */
export const readOptions = (options: unknown, known: readonly string[]): Record<string, unknown> => {
  if (options === undefined) return {};
  if (options === null || typeof options !== 'object') throw invalidArgType('options', 'of type object', options);
  rejectUnknown(options, known);
  return options as Record<string, unknown>;
};

/** One of the words; the fallback for undefined, where there is one. */
export const oneOf = <const T>(value: unknown, words: readonly T[], name: string, fallback?: T): T => {
  if (value === undefined && fallback !== undefined) return fallback;
  if (words.includes(value as T)) return value as T;
  const list = words.map((word) => (typeof word === 'string' ? `'${word}'` : String(word))).join(', ');
  throw invalidArgValue(name, `must be one of: ${list}`, value);
};

/** A boolean, false by default. */
export const flag = (value: unknown, name: string, fallback = false): boolean => {
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') throw invalidArgType(name, 'of type boolean', value);
  return value;
};
