import { useStatus } from "@/api/queries";
import { Notice } from "@/components/ui/Notice";
import { formatCount } from "@/lib/format";
import { useStore } from "@/lib/store";
import { relay } from "./relay";

/** On every page: that what it shows is the past, why, and what to do. Nothing while all is well. */
export function GatewayNotice() {
  const { data } = useStatus();
  const { waits } = useStore(relay);
  const shown =
    data?.indexed == null ? "Nothing is shown yet" : `Block ${formatCount(data.indexed)} is shown`;
  const notice = data?.stopped ? (
    <Notice tone="bad" alert title={`This gateway shows the past: ${data.stopped}`}>
      {shown}, and nothing newer comes. What you sign is still sent. Use another gateway, or tell the operator
      of this one.
    </Notice>
  ) : data?.trouble ? (
    <Notice tone="warn" alert title={`The gateway stands still: ${data.trouble}`}>
      {shown}. It tries again by itself, and this page goes on when it succeeds; if it lasts, tell the
      gateway’s operator.
    </Notice>
  ) : data && data.best === null ? (
    <Notice tone="warn" alert title="The gateway’s node does not answer">
      {shown}. Balances, quotas and what you would sign are not known until it does. This page goes on by
      itself.
    </Notice>
  ) : waits ? (
    <Notice tone="warn" alert title="The chain has not answered yet">
      What only the chain knows is missing on this page, and comes once it answers; nothing has to be loaded
      anew.
    </Notice>
  ) : null;
  if (!notice) return null;
  return <div className="mx-auto w-full max-w-6xl px-4 pt-6 sm:px-6 lg:px-8">{notice}</div>;
}
