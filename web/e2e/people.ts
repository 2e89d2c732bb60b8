// Accounts that are there when tests begin, so that none waits for a faucet that is tested already. Each belongs to
// one file of tests: two that sign at once would take the same nonce.

/** Contributors, who submit without having any OPEN. */
export const contributors = [
  "Ada",
  "Ben",
  "Cleo",
  "Gil",
  "Jon",
  "Nils",
  "Ulla",
  "Mads",
  "Pil",
  "Xenia",
] as const;

/** Who looks at results in dispute; each has enough OPEN for a worker's bond. */
export const verifiers = ["Pia", "Quin", "Rune"] as const;

/** Contributors who have OPEN too. */
export const wealthy = ["Dora", "Ida", "Kim", "Mira", "Olga", "Wanda"] as const;

/** Who has enough OPEN for a reviewer's seat; the first one for a Datanet of its own too. */
export const reviewers = ["Ivo", "Rolf", "Sven", "Tove", "Vera"] as const;

/** Who has enough OPEN to create Datanets and to fund them. */
export const funders = [
  "Bodil",
  "Fay",
  "Gus",
  "Hal",
  "Leo",
  "Nell",
  "Nora",
  "Otto",
  "Rex",
  "Sam",
  "Signe",
  "Tess",
  "Olaf",
  "Wim",
  "Yves",
  "Zoe",
] as const;

/** Who has enough OPEN to decide a referendum. */
export const voters = ["Vito"] as const;

/** Who has enough OPEN for two that stand for election; nobody is elected but the node's own validator. */
export const validators = ["Yara"] as const;

/** Who has enough OPEN for two that make nomination pools. */
export const poolMakers = ["Petra"] as const;
