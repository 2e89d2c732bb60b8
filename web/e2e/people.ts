/**
 * Accounts that the network's start gives OPEN and registers as contributors, so that no test waits for a faucet
 * that is tested already. Each belongs to one file of tests: two that signed at once would take the same nonce.
 */
export const contributors = ["Ada", "Ben", "Cleo", "Gil", "Olga", "Uma", "Wanda", "Xenia"] as const;
