// How numbers, amounts, sizes, times and ids are written, everywhere the same.

const OPEN_DECIMALS = 18;
/** Between two blocks, in milliseconds. */
export const BLOCK_TIME = 3000;
const PLANCKS = 10n ** BigInt(OPEN_DECIMALS);

/** Plancks as OPEN without loss: `1234500000000000000` is `1.2345`. Groups thousands. */
export function formatOpen(plancks: bigint | string, most = OPEN_DECIMALS): string {
  const value = BigInt(plancks);
  const negative = value < 0n;
  const size = negative ? -value : value;
  let whole = size / PLANCKS;
  let fraction = size % PLANCKS;
  if (most < OPEN_DECIMALS) {
    // Rounded down: an amount never looks larger than it is.
    const unit = 10n ** BigInt(OPEN_DECIMALS - most);
    fraction -= fraction % unit;
    if (whole === 0n && fraction === 0n && size > 0n) {
      return `${negative ? "−" : ""}< ${most === 0 ? "1" : `0.${"0".repeat(most - 1)}1`}`;
    }
  }
  const digits = fraction.toString().padStart(OPEN_DECIMALS, "0").replace(/0+$/, "");
  whole = whole < 0n ? -whole : whole;
  return `${negative ? "−" : ""}${groupDigits(whole.toString())}${digits ? `.${digits}` : ""}`;
}

/** An amount of OPEN that a person typed, in plancks; null if it is none. */
export function parseOpen(text: string): bigint | null {
  const match = /^\s*(\d{1,20})?(?:[.](\d{0,18}))?\s*$/.exec(text.replaceAll(",", ""));
  if (!match || (!match[1] && !match[2])) return null;
  return BigInt(match[1] ?? "0") * PLANCKS + BigInt((match[2] ?? "").padEnd(OPEN_DECIMALS, "0"));
}

/** `1234567` is `1,234,567`; keeps integers of any size whole. */
export function formatCount(count: bigint | number | string): string {
  const text = typeof count === "number" ? Math.trunc(count).toString() : count.toString();
  return text.startsWith("-") ? `−${groupDigits(text.slice(1))}` : groupDigits(text);
}

function groupDigits(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Bytes in the units of the limits: 10 MiB is 10,485,760. */
export function formatBytes(bytes: bigint | number): string {
  let size = Number(bytes);
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return `${Number(size.toFixed(digits)).toLocaleString("en")} ${units[unit]}`;
}

/** `5GrwvaEF…NoHGKutQY`, for what is shown whole elsewhere. */
export function shorten(text: string, head = 6, tail = 6): string {
  return text.length <= head + tail + 1 ? text : `${text.slice(0, head)}…${text.slice(-tail)}`;
}

/** How long, in the two largest units: `2 h 5 min`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} days`;
}

/** How long ago, or in how long. */
export function formatRelative(time: number, now: number): string {
  const distance = time - now;
  if (Math.abs(distance) < 5000) return "just now";
  const words = formatDuration(Math.abs(distance)).replace(/ (?:min|s) .*$/, (rest) =>
    rest.startsWith(" min") ? " min" : rest,
  );
  return distance < 0 ? `${words} ago` : `in ${words}`;
}

/** One of two forms: `plural(1, "file")` is `1 file`. */
export function plural(count: bigint | number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${BigInt(Math.trunc(Number(count))) === 1n ? one : many}`;
}
