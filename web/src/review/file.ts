// A submitted file for a judge's eyes: its bytes, hashed again in this browser.

import { fetchOk } from "@/api/request";
import type { Submission } from "@/api/types";
import { nameInWorker } from "@/content/naming";
import { ProblemError } from "@/lib/problem";

/** The bytes of a submission, if they are the ones that the chain names. */
async function fetchFile(
  submission: Pick<Submission, "sha256" | "size" | "media">,
  signal: AbortSignal,
): Promise<Blob> {
  const response = await fetchOk(`/v1/files/${submission.sha256}`, { signal });
  // The type is ours: what a file says of itself is never believed.
  const file = new Blob([await response.arrayBuffer()], {
    type: types[submission.media] ?? "application/octet-stream",
  });
  const named = await nameInWorker(file);
  if (named.sha256 !== submission.sha256 || named.size !== submission.size) {
    throw new ProblemError(
      "The gateway's bytes are not those of this submission",
      "Do not judge it here: the gateway is broken or lies. `openledger review show` fetches from IPFS itself.",
    );
  }
  return file;
}

/** The bytes of a submission, asked for once. */
export const fileQuery = (submission: Pick<Submission, "sha256" | "size" | "media">) => ({
  queryKey: ["review", "file", submission.sha256],
  queryFn: ({ signal }: { signal: AbortSignal }) => fetchFile(submission, signal),
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: 60_000,
});

const types: Readonly<Record<string, string>> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  webp: "image/webp",
  wav: "audio/wav",
  mp3: "audio/mpeg",
  flac: "audio/flac",
};
