import { fetchOk } from "@/api/request";
import type { Job } from "@/api/types";
import { fileOfCar } from "@/content/car";
import { toHex } from "@/content/contentId";
import { ProblemError } from "@/lib/problem";

/** Fetches a job's adapter, compares it with what stands on chain, and gives it to the visitor to keep. */
export async function downloadAdapter({ id, result }: Pick<Job, "id" | "result">): Promise<void> {
  if (!result) return;
  const response = await fetchOk(`/ipfs/${result.content}`, { query: { format: "car" } });
  const pieces = fileOfCar(new Uint8Array(await response.arrayBuffer()));
  const file = new Blob(pieces as Uint8Array<ArrayBuffer>[], { type: "application/octet-stream" });
  const sha256 = toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer())));
  if (sha256 !== result.sha256) {
    throw new ProblemError(
      `The bytes that came have the sha256 ${sha256}, not the adapter's`,
      "They were thrown away. Try again, or fetch the adapter with `openledger adapter download`.",
    );
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = `adapter-${id}.safetensors`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
