import { describe, expect, it } from "vitest";
import { decodeAddress, encodeAddress, toNetworkAddress } from "./address";

// Alice, whom everybody knows, on Substrate, Polkadot and Kusama.
const alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const onPolkadot = "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5";
const onKusama = "HNZata7iMYWmk5RvZRTiAsSDhV8366zq2YGb3tLH5Upf74F";

describe("addresses", () => {
  it("are those of this network, whichever network's a wallet shows", () => {
    for (const address of [alice, onPolkadot, onKusama]) expect(toNetworkAddress(address)).toBe(alice);
  });

  it("are read back to the key", () => {
    const key = decodeAddress(alice);
    expect(key).toHaveLength(32);
    expect(encodeAddress(key as Uint8Array)).toBe(alice);
  });

  it("are refused when mistyped", () => {
    for (const wrong of ["", "5Grwva", alice.replace("E", "F"), `${alice}1`, "0x00", "lol!"]) {
      expect(decodeAddress(wrong)).toBeNull();
    }
  });
});
