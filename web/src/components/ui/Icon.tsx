import { classes } from "@/lib/classes";

const paths = {
  account: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-8 9a8 8 0 0 1 16 0",
  alert:
    "M12 8.5v4.5m0 3.2v.1M10.3 4 2.6 17.6A2 2 0 0 0 4.3 20.5h15.4a2 2 0 0 0 1.7-2.9L13.7 4a2 2 0 0 0-3.4 0Z",
  arrowRight: "M5 12h14m-6-6 6 6-6 6",
  attribution:
    "M12 3v6m0 0a3 3 0 1 0 0 6 3 3 0 0 0 0-6Zm-2.5 4.7L4 18m10.5-4.3L20 18M4 20.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3Zm16 0a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3Z",
  board: "M5 20V11h4v9m1 0V4h4v16m1 0v-6h4v6M3 20h18",
  chat: "M4 5.5h16v11H9.5L5 20v-3.5H4Z",
  check: "m5 12.5 4.5 4.5L19 7.5",
  chevronDown: "m6 9.5 6 6 6-6",
  chevronRight: "m9.5 6 6 6-6 6",
  close: "m6 6 12 12M18 6 6 18",
  contribute: "M12 16V4m-5 5 5-5 5 5M4 16v3.5h16V16",
  copy: "M8.5 8.5V4.5h11v11h-4m-11-7h11v11h-11Z",
  datanets: "M12 3.5 20 8l-8 4.5L4 8Zm-8 9 8 4.5 8-4.5M4 17l8 4.5 8-4.5",
  download: "M12 4v12m-5-5 5 5 5-5M4 20h16",
  external: "M13.5 4.5h6v6m0-6-9 9M10 6H5v13h13v-5",
  factory:
    "M12 3.5v3m0 11v3m8.5-8.5h-3m-11 0h-3m14.5-6-2.1 2.1m-7.8 7.8L6 18m12 0-2.1-2.1M8.1 8.1 6 6m6 10a4 4 0 1 0 0-8 4 4 0 0 0 0 8Z",
  home: "m4 11 8-7 8 7v9h-5.5v-5.5h-5V20H4Z",
  info: "M12 11v5.5m0-9v.1M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z",
  key: "M14.5 3.5a6 6 0 0 0-5.7 7.8L3.5 16.6v3.9h3.9v-2.4h2.4v-2.4h1.6l1.3-1.2a6 6 0 1 0 1.8-11Zm1.7 4.3v.1",
  menu: "M4 7h16M4 12h16M4 17h16",
  minus: "M5 12h14",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z",
  network: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-18c5 5 5 13 0 18-5-5-5-13 0-18ZM3.5 9.5h17m-17 5h17",
  operators: "M4 4.5h16v6H4Zm0 9h16v6H4Zm3.5-6v.1m0 8.9v.1M11 7.5h5.5M11 16.5h5.5",
  plus: "M12 5v14M5 12h14",
  refresh: "M20 11a8 8 0 0 0-14.5-4L4 9m0-5v5h5M4 13a8 8 0 0 0 14.5 4L20 15m0 5v-5h-5",
  review: "M4 4.5h16V13M4 4.5v15h7M8 9h8m-8 4h4m3 4.5 2.2 2.2 4.3-4.7",
  runs: "M3.5 19.5h17M4 15l5-6 4 3.5L20 5",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13Zm4.7-1.8L20.5 20.5",
  shield: "M12 3.5 4.5 6v6c0 4.5 3.2 7.3 7.5 8.5 4.3-1.2 7.5-4 7.5-8.5V6Zm-3 8.5 2.2 2.2L15.5 10",
  stake:
    "M12 3.5c4 0 7 1.3 7 3s-3 3-7 3-7-1.3-7-3 3-3 7-3Zm-7 3v5.5c0 1.7 3 3 7 3s7-1.3 7-3V6.5M5 12v5.5c0 1.7 3 3 7 3s7-1.3 7-3V12",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm0-13v2m0 14v2m9-9h-2M5 12H3m15.4-6.4L17 7M7 17l-1.4 1.4m12.8 0L17 17M7 7 5.6 5.6",
  upload: "M12 20V8m-5 5 5-5 5 5M4 4h16",
  vote: "M4 13.5h16v6.5H4Zm2.5 0L8.5 4h7l2 9.5m-8-4.5 1.8 1.8 3.2-3.6",
  wallet: "M4 7.5V6a2 2 0 0 1 2-2h11v3.5M4 7.5h16v12H6a2 2 0 0 1-2-2Zm12.5 6v.1",
} as const;

export type IconName = keyof typeof paths;

/** A line drawing beside words; it means nothing by itself to a screen reader. */
export function Icon({ name, className }: { name: IconName; className?: string }) {
  return (
    <svg
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.7"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      className={classes("size-5 shrink-0", className)}
    >
      <path d={paths[name]} />
    </svg>
  );
}
