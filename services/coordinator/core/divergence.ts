// Which members differ from the others in something that has to be the same on all of them.

/** `said[i]` is of `names[i]`. Names the minority, or everybody when there is no majority; null when all are equal. */
export function whoDiffers(names: readonly string[], said: readonly string[]): string | null {
  const bySaying = new Map<string, string[]>();
  for (const [i, key] of said.entries()) bySaying.set(key, [...(bySaying.get(key) ?? []), names[i] as string]);
  if (bySaying.size <= 1) return null;
  const groups = [...bySaying].sort(([, a], [, b]) => a.length - b.length);
  const all = groups.map(([saying, members]) => `${members.join(', ')}: ${saying}`).join('; ');
  const [[, fewest], [, next]] = groups as [[string, string[]], [string, string[]]];
  const who = fewest.length < next.length ? `${fewest.join(', ')} differs from the others` : 'members differ';
  return `${who}: ${all}`;
}
