import { useEffect, useState, type ReactElement } from "react";
import { useMutation } from "synovia-client/react";
import { api, type UserView } from "../api/api.ts";
import { goInstead } from "../browser/route.ts";
import { sessions } from "../session/session.ts";
import { ROLE_NAMES, type Role } from "../people/roles.ts";
import { attempt } from "../ui/act.ts";
import { Select } from "../ui/controls.tsx";
import { ConfirmDialog, FormDialog, ReasonDialog } from "../ui/dialog.tsx";
import { toasts } from "../ui/toasts.ts";

/** What an admin is about to do with whom. */
export interface UserTask {
  readonly what: "look" | "role" | "archive" | "restore" | "delete";
  readonly user: UserView;
}

interface Props {
  readonly user: UserView;
  readonly onClose: () => void;
}

const DIALOGS: Readonly<Record<UserTask["what"], (props: Props) => ReactElement | null>> = {
  look: LookDialog,
  role: RoleDialog,
  archive: ArchiveDialog,
  restore: Restore,
  delete: DeleteDialog,
};

export function UserDialogs({ task, onClose }: { task: UserTask | null; onClose: () => void }): ReactElement | null {
  if (!task) return null;
  const Chosen = DIALOGS[task.what];
  return <Chosen user={task.user} onClose={onClose} />;
}

function LookDialog({ user, onClose }: Props): ReactElement {
  const lookAs = useMutation(api.admin.lookAs);
  const send = async (reason: string): Promise<void> => {
    const token = await lookAs({ userId: user._id, reason });
    sessions.lookAs({ name: user.name, token });
    goInstead();
  };
  return (
    <ReasonDialog
      title={`Look as ${user.name}`} submit="Look as this user" required onReason={send} onClose={onClose}
      text="You see the desk as they do, medical data included, and cannot change anything. That you looked, and why, stays in the audit log."
    />
  );
}

function RoleDialog({ user, onClose }: Props): ReactElement {
  const changeRole = useMutation(api.admin.changeRole);
  const [role, setRole] = useState<Role>(user.role);
  const send = async (): Promise<void> => {
    await changeRole({ userId: user._id, role });
    toasts.say(`The role of ${user.name} is ${ROLE_NAMES[role].toLowerCase()} now.`);
  };
  return (
    <FormDialog title={`Role of ${user.name}`} submit="Change role" onSubmit={send} onClose={onClose}>
      <Select label="Role" hint="What they have made stays; what they may do changes at once." value={role} onChange={(event) => setRole(event.target.value as Role)}>
        {Object.entries(ROLE_NAMES).map(([value, name]) => <option key={value} value={value}>{name}</option>)}
      </Select>
    </FormDialog>
  );
}

function ArchiveDialog({ user, onClose }: Props): ReactElement {
  const archive = useMutation(api.admin.archiveUser);
  return (
    <ReasonDialog
      title={`Archive ${user.name}`} submit="Archive" onReason={(reason) => archive({ userId: user._id, reason })} onClose={onClose}
      text="The account is closed at once, and nothing is deleted. It can be restored."
    />
  );
}

/** Restoring needs no question. */
function Restore({ user, onClose }: Props): null {
  const restore = useMutation(api.admin.restoreUser);
  useEffect(() => {
    onClose();
    void attempt(restore({ userId: user._id }), `${user.name} can sign in again.`);
  }, [user, onClose, restore]);
  return null;
}

function DeleteDialog({ user, onClose }: Props): ReactElement {
  const remove = useMutation(api.admin.deleteUser);
  const send = async (): Promise<void> => {
    await remove({ userId: user._id });
    toasts.say(`${user.name} has been deleted.`);
  };
  return (
    <ConfirmDialog
      title={`Delete ${user.name}`} submit="Delete for good" words={user.email} onConfirmed={send} onClose={onClose}
      text="Their recordings are deleted with them, for everybody. This cannot be undone."
    />
  );
}
