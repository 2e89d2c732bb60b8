import { describe, expect, it } from "vitest";
import { openerOf, seal, unseal } from "./seal";
import { fromKey, generate } from "./secret";

const prf = crypto.getRandomValues(new Uint8Array(32));

describe("sealed keys", () => {
  it("open with what sealed them, words and all", async () => {
    const secret = await generate();
    for (const [by, opener] of [
      ["passkey", openerOf(prf)],
      ["password", openerOf("correct horse")],
    ] as const) {
      const sealed = await seal(secret, by, opener);
      const opened = await unseal(sealed, secret.address, opener);
      expect(opened.words).toBe(secret.words);
      expect(opened.key).toEqual(secret.key);
      expect(JSON.stringify(sealed)).not.toContain(secret.words?.split(" ")[0]);
    }
  });

  it("hold keys without words too", async () => {
    const { key } = await generate();
    const secret = { words: null, ...fromKey(key) };
    const sealed = await seal(secret, "passkey", openerOf(prf));
    expect((await unseal(sealed, secret.address, openerOf(prf))).key).toEqual(key);
  });

  it("do not open otherwise, nor for another account", async () => {
    const [secret, other] = await Promise.all([generate(), generate()]);
    const sealed = await seal(secret, "password", openerOf("correct horse"));
    await expect(unseal(sealed, secret.address, openerOf("Correct horse"))).rejects.toThrow("does not open");
    await expect(unseal(sealed, other.address, openerOf("correct horse"))).rejects.toThrow("does not open");
    const changed = { ...sealed, iv: sealed.salt.slice(0, 16) };
    await expect(unseal(changed, secret.address, openerOf("correct horse"))).rejects.toThrow("does not open");
  });

  it("read a password the same however its accents are typed", () => {
    expect(openerOf("pässword")).toEqual(openerOf("pa\u0308ssword"));
  });
});
