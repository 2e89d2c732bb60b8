import { lazy, Suspense } from "react";
import { asking } from "@/accounts/asking";
import { useStore } from "@/lib/store";
import { pending } from "./transactions";

// Signing and everything that it needs of polkadot-api come with the first transaction.
const UnlockDialog = lazy(() => import("@/accounts/UnlockDialog"));
const TransactionDialog = lazy(() => import("./TransactionDialog"));

/** Shows the transaction that a page asked for, and asks for a key's password when it signs. */
export function TransactionHost() {
  const shown = useStore(pending);
  const unlocking = useStore(asking);
  return (
    <Suspense fallback={null}>
      {shown && <TransactionDialog pending={shown} />}
      {unlocking && <UnlockDialog />}
    </Suspense>
  );
}
