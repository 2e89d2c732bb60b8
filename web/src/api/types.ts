// What the gateway answers. Amounts and points are decimal strings, times milliseconds since 1970.

export interface List<T> {
  items: T[];
  next: string | null;
}

export interface Config {
  chain: string;
  genesisHash: string;
  specVersion: number;
  ss58Prefix: number;
  token: { symbol: string; decimals: number };
  /** Keys everybody knows have money here. */
  development: boolean;
  faucet: boolean;
  chat: boolean;
  rpc: string;
  limits: { quotaFiles: number; quotaBytes: number };
  gatewayVersion: string;
}

export interface Status {
  best: number;
  finalised: number;
  indexed: number;
  peers: number;
  syncing: boolean;
}
