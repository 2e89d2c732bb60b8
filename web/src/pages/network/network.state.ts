/** A slot; a block is due in each. */
const SLOT = 3000;

/** About how long until a block. */
export function untilBlock(best: number, block: number): number {
  return Math.max(0, block - best) * SLOT;
}

/** The node as others reach it, and the page of a general explorer that shows it. */
export function explorerAddress(location: { protocol: string; host: string }, rpc: string) {
  const node = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${rpc}`;
  return { node, link: `https://polkadot.js.org/apps/?rpc=${encodeURIComponent(node)}#/explorer` };
}
