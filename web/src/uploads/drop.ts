import type { Account } from "@/accounts/state";
import { request } from "@/api/request";
import { getToken } from "./session";

/** Takes a file back that was not submitted after all. */
export async function dropFile(account: Account, hash: string): Promise<void> {
  const token = await getToken(account);
  await request<void>(`/v1/blobs/${hash}`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${token}` },
  });
}
