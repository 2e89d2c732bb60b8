// Accounts that are there when tests begin, so that none waits for a faucet that is tested already. Each belongs to
// one file of tests: two that sign at once would take the same nonce.

/** Contributors, who submit without having any OPEN, by who sponsors them. */
export const contributors = {
  "//Charlie": ["Ada", "Ben"],
  "//Dave": ["Cleo", "Gil", "Jon", "Nils", "Ulla"],
  "//Eve": ["Mads", "Uma", "Xenia"],
} as const;

/** Who looks at results in dispute; each has enough OPEN for a worker's bond. */
export const verifiers = ["Pia", "Quin", "Rune"] as const;

/** Contributors who have OPEN too. */
export const wealthy = ["Dora", "Ida", "Kim", "Mira", "Olga", "Wanda"] as const;

/** Who has enough OPEN for a reviewer's seat; the first one pays the others, and a Datanet of its own too. */
export const reviewers = ["Ivo", "Rolf", "Sven", "Tove", "Vera"] as const;

/** Who has enough OPEN to create Datanets and to fund them. */
export const funders = ["Fay", "Gus", "Hal", "Leo", "Rex", "Sam", "Tess", "Yves", "Zoe"] as const;
