import { useState, type ReactElement } from "react";
import { useMutation } from "synovia-client/react";
import { api } from "../api/api.ts";
import { useMe } from "../session/me.ts";
import { sessions } from "../session/session.ts";
import { TextField } from "../ui/controls.tsx";
import { ConfirmDialog, FormDialog } from "../ui/dialog.tsx";
import { toasts } from "../ui/toasts.ts";

export type AccountDialog = "rename" | "delete" | null;

export function AccountDialogs({ open, onClose }: { open: AccountDialog; onClose: () => void }): ReactElement | null {
  if (open === "rename") return <Rename onClose={onClose} />;
  return open === "delete" ? <DeleteAccount onClose={onClose} /> : null;
}

function Rename({ onClose }: { onClose: () => void }): ReactElement {
  const me = useMe();
  const rename = useMutation(api.users.rename);
  const [name, setName] = useState(me.name);
  return (
    <FormDialog title="Change name" submit="Save" onSubmit={() => rename({ name: name.trim() })} onClose={onClose}>
      <TextField label="Your name" hint="This is how your contacts see you." required maxLength={200} value={name} onChange={(event) => setName(event.target.value)} />
    </FormDialog>
  );
}

function DeleteAccount({ onClose }: { onClose: () => void }): ReactElement {
  const me = useMe();
  const remove = useMutation(api.users.deleteAccount);
  const send = async (): Promise<void> => {
    await remove({ email: me.email });
    await sessions.signOut();
    toasts.say("Your account has been deleted.");
  };
  return (
    <ConfirmDialog
      title="Delete account" submit="Delete my account" words={me.email} onConfirmed={send} onClose={onClose}
      text="Your recordings are deleted with it, for you and for everybody they are shared with. This cannot be undone."
    />
  );
}
