import { signed } from "./network/chain.ts";
import { developmentKey } from "./wallet.ts";

/** Has somebody propose that the treasury pays somebody OPEN, on the track for small spends; the referendum. */
export async function proposeSpend(proposer: string, to: string, plancks: bigint): Promise<number> {
  const { address } = await developmentKey(to);
  const events = await signed(process.env.OPENLEDGER_E2E_NODE ?? "", proposer, async (call) => {
    const spend = call("Treasury", "spend", {
      ...{ asset_kind: undefined, amount: plancks, beneficiary: address, valid_from: undefined },
    });
    return call("Referenda", "submit", {
      proposal_origin: { type: "Origins", value: { type: "SmallSpender", value: undefined } },
      proposal: { type: "Inline", value: await spend.getEncodedData() },
      enactment_moment: { type: "After", value: 1 },
    });
  });
  const submitted = events.find(({ type, value }) => type === "Referenda" && value.type === "Submitted");
  if (!submitted) throw new Error("the chain did not say that it was submitted");
  return (submitted.value.value as { index: number }).index;
}
