import { lazy, Suspense } from "react";
import { useStore } from "@/lib/store";
import { pending } from "./transactions";

// Signing and everything that it needs of polkadot-api come with the first transaction.
const TransactionDialog = lazy(() => import("./TransactionDialog"));

/** Shows the transaction that a page asked for. */
export function TransactionHost() {
  const shown = useStore(pending);
  if (!shown) return null;
  return (
    <Suspense fallback={null}>
      <TransactionDialog pending={shown} />
    </Suspense>
  );
}
