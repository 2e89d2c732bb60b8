import type { Account } from "@/accounts/state";
import { ApiError, request } from "@/api/request";
import { sha256 } from "./content";
import { forgetSession, getToken } from "./session";

interface BlobState {
  sha256: string;
  received: number;
  size: number | null;
  complete: boolean;
  content: string | null;
}

/** Sends a small file in one piece, and returns what a submission names of it. */
export async function putFile(
  account: Account,
  bytes: Uint8Array<ArrayBuffer>,
  datanet: number,
  media: string,
): Promise<{ sha256: string; content: string; size: number; media: string }> {
  const hash = await sha256(bytes);
  const send = async (token: string) => {
    const query = new URLSearchParams({ size: String(bytes.length), datanet: String(datanet), media });
    const response = await fetch(`/v1/blobs/${hash}?${query}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/octet-stream" },
      body: bytes,
    });
    const answer = (await response.json()) as BlobState & {
      error?: { code: string; message: string; field?: string };
    };
    if (!response.ok) {
      const { code = "no_reason", message = "The gateway did not say why.", field } = answer.error ?? {};
      throw new ApiError(response.status, code, message, field);
    }
    return answer;
  };
  let state: BlobState;
  try {
    state = await send(await getToken(account));
  } catch (error) {
    // A session that was revoked elsewhere is opened anew, once.
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    forgetSession(account.address);
    state = await send(await getToken(account));
  }
  if (!state.complete || state.content === null) {
    throw new ApiError(500, "incomplete", "The gateway took the file and does not have all of it");
  }
  return { sha256: hash, content: state.content, size: bytes.length, media };
}

/** Takes a file back that was not submitted after all. */
export async function dropFile(account: Account, hash: string): Promise<void> {
  const token = await getToken(account);
  await request<void>(`/v1/blobs/${hash}`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${token}` },
  });
}
