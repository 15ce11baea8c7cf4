import { useState, type FormEvent, type ReactNode } from "react";
import { insertAtTop, optimisticallyUpdateValueInPaginatedQuery, useMutation, usePaginatedQuery } from "convex/react";
import { api } from "../convex/_generated/api";
import type { Doc, Id } from "../convex/_generated/dataModel";

const PAGE = 20;
const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

interface Props {
  channel: Doc<"channels">;
  me: Doc<"users"> | null;
}

export function Messages({ channel, me }: Props): ReactNode {
  const { results, status, loadMore } = usePaginatedQuery(api.queries.messages.page, { channelId: channel._id }, { initialNumItems: PAGE });
  return (
    <>
      <div className="channel-head">
        <h1>#{channel.name}</h1>
        <p className="quiet">{channel.topic}</p>
      </div>
      <ol className="messages" aria-label="Messages">
        {results.map((message) => (
          <Message key={message._id} message={message} me={me} />
        ))}
        {status === "CanLoadMore" && (
          <li className="more">
            <button className="plain" onClick={() => loadMore(PAGE)}>
              Older messages
            </button>
          </li>
        )}
        {status === "Exhausted" && <li className="quiet more">{results.length ? "This is where it began." : "Nobody has written anything yet."}</li>}
        {(status === "LoadingFirstPage" || status === "LoadingMore") && <li className="quiet more">Loading…</li>}
      </ol>
      {me ? <Composer channel={channel} me={me} /> : <p className="quiet composer-note">Sign in to write.</p>}
    </>
  );
}

function Message({ message, me }: { message: Doc<"messages">; me: Doc<"users"> | null }): ReactNode {
  const like = useLike(me, message.channelId);
  const remove = useMutation(api.mutations.messages.remove);
  const sending = message._id.startsWith("optimistic");
  const liked = me !== null && message.likedBy.includes(me._id);
  return (
    <li className={sending ? "message sending" : "message"}>
      <div className="message-head">
        <strong>{message.author}</strong>
        <time className="quiet">{TIME.format(message._creationTime)}</time>
      </div>
      <p>{message.body}</p>
      <div className="message-actions">
        <button className="plain like" aria-pressed={liked} aria-label="Like" disabled={me === null || sending} onClick={() => void like({ messageId: message._id })}>
          {liked ? "♥" : "♡"} {message.likedBy.length || ""}
        </button>
        {me?._id === message.authorId && !sending && (
          <button className="plain" onClick={() => void remove({ messageId: message._id })}>
            Take back
          </button>
        )}
      </div>
    </li>
  );
}

/** Liking is seen at once, before the backend knows of it. */
function useLike(me: Doc<"users"> | null, channelId: Id<"channels">): (args: { messageId: Id<"messages"> }) => Promise<null> {
  return useMutation(api.mutations.messages.like).withOptimisticUpdate((store, { messageId }) => {
    if (!me) return;
    optimisticallyUpdateValueInPaginatedQuery(store, api.queries.messages.page, { channelId }, (each) => {
      if (each._id !== messageId) return each;
      const others = each.likedBy.filter((id) => id !== me._id);
      return { ...each, likedBy: others.length < each.likedBy.length ? others : [...others, me._id] };
    });
  });
}

function Composer({ channel, me }: { channel: Doc<"channels">; me: Doc<"users"> }): ReactNode {
  const send = useMutation(api.mutations.messages.send).withOptimisticUpdate((store, { channelId, body }) => {
    insertAtTop({
      paginatedQuery: api.queries.messages.page,
      argsToMatch: { channelId },
      localQueryStore: store,
      item: {
        _id: `optimistic-${crypto.randomUUID()}` as Id<"messages">,
        _creationTime: Date.now(),
        channelId,
        authorId: me._id,
        author: me.name,
        body,
        likedBy: [],
      },
    });
  });
  const [body, setBody] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!body.trim()) return;
    setBody("");
    void send({ channelId: channel._id, body: body.trim() });
  };
  return (
    <form className="composer" onSubmit={submit}>
      <input aria-label="Message" placeholder={`Write to #${channel.name}`} value={body} onChange={(event) => setBody(event.target.value)} />
      <button disabled={!body.trim()}>Send</button>
    </form>
  );
}
