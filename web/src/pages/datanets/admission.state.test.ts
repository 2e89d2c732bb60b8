import { describe, expect, it } from "vitest";
import { encodeAddress } from "@/accounts/address";
import { MOST_INVITED, readInvited, sayAdmission } from "./admission.state";

const account = (n: number) => encodeAddress(new Uint8Array(32).fill(n));

describe("accounts that are invited", () => {
  it("are read a line or a comma each, and no more than one transaction invites", () => {
    expect(readInvited(`${account(1)},\n${account(2)}`)).toEqual({ accounts: [account(1), account(2)] });
    expect(readInvited(" ")).toEqual({ accounts: [] });
    const many = Array.from({ length: MOST_INVITED + 1 }, (_, n) => account(n)).join("\n");
    expect(readInvited(many).problem).toContain(`${MOST_INVITED + 1} accounts; ${MOST_INVITED} can`);
  });
});

describe("whose files a Datanet takes", () => {
  it("is said in words", () => {
    expect(sayAdmission({ admission: "open", leastPoints: null })).toBe("everybody");
    expect(sayAdmission({ admission: "points", leastPoints: "2500" })).toContain("2,500 points");
  });
});
