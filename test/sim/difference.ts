// Where two plain values differ first, in words.

/** Null when they are equal. */
export function firstDifference(found: unknown, expected: unknown, path = 'result'): string | null {
  if (Object.is(found, expected)) return null;
  if (!isObject(found) || !isObject(expected)) return `${path}: found ${found}; expected ${expected}`;
  for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
    const difference = firstDifference(found[key], expected[key], `${path}.${key}`);
    if (difference) return difference;
  }
  return null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
