import { Link } from "wouter";
import { Badge } from "@/components/ui/Badge";
import { Notice } from "@/components/ui/Notice";

/** Beside a file that was revoked, and an adapter that was trained on one. */
export function RevokedBadge({ adapter = false }: { adapter?: boolean }) {
  return <Badge tone="warn">{adapter ? "holds a revoked file" : "Revoked"}</Badge>;
}

/** That an adapter was trained on a file that was revoked since, and what follows. */
export function AdapterRevoked({ adapter, here = false }: { adapter: number; here?: boolean }) {
  return (
    <Notice tone="warn" title="It was trained on a file that was revoked since">
      Its contributor or governance took back the permission to train on that file. The adapter stays, and so
      do points and payments of the past; know it before you use or refine the adapter. A new run leaves that
      file out.{" "}
      {here ? (
        "Below the file is marked."
      ) : (
        <Link href={`/attribution/${adapter}`} className="link">
          Which file it is
        </Link>
      )}
    </Notice>
  );
}
