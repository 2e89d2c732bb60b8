import type { Account } from "@/accounts/state";
import { ApiError, request } from "@/api/request";
import { type FileName, nameFile } from "@/content/contentId";
import type { Media } from "@/content/formats";
import { sendFile } from "./send";
import { forgetSession, getToken } from "./session";

/** Sends bytes that the page made, and returns what a submission names of them. */
export async function putFile(
  account: Account,
  bytes: Uint8Array<ArrayBuffer>,
  datanet: number,
  media: Media,
): Promise<FileName> {
  const named = await nameFile(bytes);
  const send = async () =>
    sendFile({
      file: new Blob([bytes]),
      sha256: named.sha256,
      datanet,
      media,
      token: await getToken(account),
    });
  try {
    await send();
  } catch (error) {
    // A session that was revoked elsewhere is opened anew, once.
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    forgetSession(account.address);
    await send();
  }
  return named;
}

/** Takes a file back that was not submitted after all. */
export async function dropFile(account: Account, hash: string): Promise<void> {
  const token = await getToken(account);
  await request<void>(`/v1/blobs/${hash}`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${token}` },
  });
}
