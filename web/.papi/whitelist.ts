// What the app uses of the chain; the generator leaves the rest out of the descriptors. A call or storage
// entry that a page needs is added here.
import type { WhitelistEntry } from "@polkadot-api/descriptors";

export const whitelist: WhitelistEntry[] = [
  "tx.Datanets.*",
  "tx.Review.*",
  "tx.Leaderboard.*",
  "tx.Training.*",
  "tx.Balances.transfer_keep_alive",
  "tx.Utility.batch_all",
  "query.System.Account",
  "query.Datanets.*",
  "query.Review.*",
  "query.Leaderboard.*",
  "query.Training.*",
  "const.Balances.ExistentialDeposit",
  "const.Datanets.*",
  "const.Review.*",
  "const.Leaderboard.*",
  "const.Training.*",
  "api.DatanetsApi.*",
  "api.LeaderboardApi.*",
  "api.TrainingApi.*",
  "api.ReviewApi.*",
  "api.CommitteeApi.*",
];
