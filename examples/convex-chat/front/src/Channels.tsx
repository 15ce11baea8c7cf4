import { useState, type FormEvent, type ReactNode } from "react";
import { useMutation } from "convex/react";
import { ConvexError } from "convex/values";
import { api } from "../convex/_generated/api";
import type { Doc, Id } from "../convex/_generated/dataModel";

interface Props {
  channels: Doc<"channels">[] | undefined;
  chosen: Id<"channels"> | undefined;
  choose: (id: Id<"channels">) => void;
  mayCreate: boolean;
}

export function Channels({ channels, chosen, choose, mayCreate }: Props): ReactNode {
  return (
    <nav aria-label="Channels">
      <ul>
        {channels?.map((channel) => (
          <li key={channel._id}>
            <button className="plain" aria-current={channel._id === chosen ? "page" : undefined} onClick={() => choose(channel._id)}>
              <span className="hash">#</span>
              {channel.name}
            </button>
          </li>
        ))}
      </ul>
      {mayCreate && <NewChannel choose={choose} />}
    </nav>
  );
}

function NewChannel({ choose }: { choose: (id: Id<"channels">) => void }): ReactNode {
  const create = useMutation(api.mutations.channels.create);
  const [name, setName] = useState("");
  const [fault, setFault] = useState("");
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    try {
      choose(await create({ name }));
      setName("");
      setFault("");
    } catch (error) {
      setFault(error instanceof ConvexError ? (error.data as { message: string }).message : "a name has small letters, digits and dashes");
    }
  };
  return (
    <form className="new-channel" onSubmit={(event) => void submit(event)}>
      <input aria-label="New channel" placeholder="New channel" value={name} onChange={(event) => setName(event.target.value)} />
      {fault && <p role="alert">{fault}</p>}
    </form>
  );
}
