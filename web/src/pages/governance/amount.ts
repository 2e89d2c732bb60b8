import { formatOpen, parseOpen } from "@/lib/format";

/** What is typed to vote with, or what is wrong with it. */
export function readAmount(typed: string, may: bigint): { amount: bigint | null; problem?: string } {
  const amount = parseOpen(typed);
  if (amount === null || amount === 0n) {
    return { amount: null, problem: "Write an amount of OPEN, such as 25 or 0.5." };
  }
  if (amount > may) {
    return {
      amount: null,
      problem: `${formatOpen(amount)} OPEN are more than the account has: ${formatOpen(may, 4)} OPEN may vote.`,
    };
  }
  return { amount };
}
