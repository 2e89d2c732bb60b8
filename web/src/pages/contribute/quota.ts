// What of a list of files fits into what is left of the day.

export interface Room {
  files: number;
  bytes: number;
}

interface Limits {
  files: number;
  bytes: number;
}

/** What an account may still submit today. */
export function left(quota: { used: Limits; limits: Limits }): Room {
  return {
    files: Math.max(0, quota.limits.files - quota.used.files),
    bytes: Math.max(0, quota.limits.bytes - quota.used.bytes),
  };
}

/**
 * Which files fit, in their order: a file that is too large for what is left waits, and smaller ones after it
 * still go.
 */
export function fitting<T extends { size: number }>(
  files: readonly T[],
  room: Room,
): { fits: T[]; waits: T[] } {
  const fits: T[] = [];
  const waits: T[] = [];
  let bytes = 0;
  for (const file of files) {
    if (fits.length < room.files && bytes + file.size <= room.bytes) {
      fits.push(file);
      bytes += file.size;
    } else {
      waits.push(file);
    }
  }
  return { fits, waits };
}
