// Hashes files beside the page, so that it stays usable meanwhile.
import { nameFile } from "./contentId";

/** How many of the first bytes the page looks at. */
const HEAD = 1024;

self.onmessage = async ({ data }: MessageEvent<{ id: number; file: Blob }>) => {
  try {
    const bytes = new Uint8Array(await data.file.arrayBuffer());
    self.postMessage({ id: data.id, named: await nameFile(bytes), head: bytes.slice(0, HEAD) });
  } catch (error) {
    self.postMessage({ id: data.id, problem: error instanceof Error ? error.message : String(error) });
  }
};
