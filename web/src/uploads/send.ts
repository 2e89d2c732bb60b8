// Sends a file to the gateway, from where it broke off if some of it is there.

import { ApiError, address, request } from "@/api/request";
import type { BlobState, Preview } from "@/api/types";
import type { Media } from "@/content/formats";
import { ProblemError } from "@/lib/problem";

export interface Upload {
  file: Blob;
  sha256: string;
  datanet: number;
  media: Media;
  /** Of an upload session; without one the gateway takes what a pending submission names. */
  token?: string;
  onProgress?: (sent: number) => void;
}

const TRIES = 4;

/** The gateway's answer, with progress: fetch tells nothing of what was sent. */
function put(upload: Upload, from: number): Promise<BlobState> {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    const query = { size: upload.file.size, datanet: upload.datanet, media: upload.media };
    sending.open("PUT", address(`/v1/blobs/${upload.sha256}`, query));
    if (upload.token) sending.setRequestHeader("authorization", `Bearer ${upload.token}`);
    sending.setRequestHeader("content-type", "application/octet-stream");
    sending.setRequestHeader("upload-offset", String(from));
    sending.responseType = "json";
    sending.upload.onprogress = ({ loaded }) => upload.onProgress?.(from + loaded);
    sending.onerror = () => reject(new TypeError("network: the connection broke"));
    sending.onload = () => {
      if (sending.status === 200) return resolve(sending.response as BlobState);
      const error = (sending.response as { error?: { code: string; message: string } } | null)?.error;
      reject(
        new ApiError(
          sending.status,
          error?.code ?? "no_reason",
          error?.message ?? `The gateway answered ${sending.status} without saying why.`,
        ),
      );
    };
    sending.send(from === 0 ? upload.file : upload.file.slice(from));
  });
}

/** What waiting does not change. */
const FINAL = ["daily_files", "daily_bytes", "refused", "storage_full"];

/** Whether the same request may succeed a little later. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof ApiError)) return true;
  return !FINAL.includes(error.code) && (error.status >= 500 || [408, 409, 429].includes(error.status));
}

/** Sends a file; goes on where a broken connection or a restarted gateway left it. */
export async function sendFile(upload: Upload): Promise<BlobState> {
  const headers = { authorization: `Bearer ${upload.token}` };
  for (let tried = 1; ; tried += 1) {
    try {
      const state = await request<BlobState>(`/v1/blobs/${upload.sha256}`, { headers }).catch(
        (error: unknown) => {
          if (error instanceof ApiError && error.status === 404) return null;
          throw error;
        },
      );
      if (state?.complete) return state;
      return await put(upload, state?.received ?? 0);
    } catch (error) {
      if (tried >= TRIES || !mayPass(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * 2 ** (tried - 1)));
    }
  }
}

/** How often it is looked whether the gateway knows of a submission, and how long between. */
const LOOKS = 20;
const BETWEEN = 3000;

/** Sees that the gateway has the bytes of a submission, so that curators can fetch them; needs no session. */
export async function sendSubmitted(upload: Omit<Upload, "token">): Promise<void> {
  for (let looked = 1; ; looked += 1) {
    const state = await request<BlobState>(`/v1/blobs/${upload.sha256}`);
    if (state.complete) return;
    if (state.named) {
      await put(upload, 0);
      return;
    }
    if (looked >= LOOKS) {
      throw new ProblemError(
        "The gateway does not know of the submission yet",
        "Curators cannot fetch the file before it is sent.",
      );
    }
    await new Promise((resolve) => setTimeout(resolve, BETWEEN));
  }
}

/** What of a stored file would count. */
export function previewFile(sha256: string, media: Media, token: string): Promise<Preview> {
  return request<Preview>(`/v1/previews/${sha256}`, {
    query: { media },
    headers: { authorization: `Bearer ${token}` },
  });
}
