import { useState } from "react";
import { Button } from "@/components/ui/Button";
import { Dialog } from "@/components/ui/Dialog";
import { Field } from "@/components/ui/Field";
import { useStore } from "@/lib/store";
import { asking } from "./asking";

/** Asks for the password of a key that is about to sign. */
export default function UnlockDialog() {
  const asked = useStore(asking);
  const [password, setPassword] = useState("");
  if (!asked) return null;
  const answer = (given: string | null) => {
    setPassword("");
    asked.answer(given);
  };
  return (
    <Dialog
      open
      onClose={() => answer(null)}
      title={`Open ${asked.key.name}`}
      about="The key is sealed in this browser. It stays open for five minutes."
      actions={
        <>
          <Button look="quiet" onClick={() => answer(null)}>
            Cancel
          </Button>
          <Button look="primary" type="submit" form="unlock">
            Open
          </Button>
        </>
      }
    >
      <form
        id="unlock"
        onSubmit={(event) => {
          event.preventDefault();
          answer(password);
        }}
      >
        <Field
          label="Password"
          type="password"
          autoComplete="current-password"
          autoFocus
          required
          value={password}
          error={asked.problem}
          onChange={(event) => setPassword(event.target.value)}
        />
      </form>
    </Dialog>
  );
}
