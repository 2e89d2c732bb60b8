/** A whole number as people type it; null if it is none. */
export function whole(text: string): number | null {
  const digits = text.replace(/[\s,_]/g, "");
  if (!/^\d{1,15}$/.test(digits)) return null;
  return Number(digits);
}
