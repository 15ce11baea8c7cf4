/** The documents of a student: uploading, opening, new versions, and who sees them. */
import { useState, type FormEvent, type ReactElement } from "react";
import { useMutation, useQuery, useSynovia, useUpload, type Upload } from "synovia-client/react";
import type { UploadId } from "synovia-client";
import { Dialog, Field, Problem, useAct } from "../shared/ui.tsx";
import { api, type Document, type DocumentView, type Id } from "./api/api.ts";
import { day, TYPES } from "./words.ts";

const KINDS = "application/pdf,image/*,audio/*,video/*,text/plain";

export function Documents({ studentId, staff }: { studentId: Id<"students">; staff: boolean }): ReactElement {
  const documents = useQuery(api.documents.list, { studentId });
  const [adding, setAdding] = useState(false);
  const [sharing, setSharing] = useState<DocumentView | null>(null);
  return (
    <section className="card" aria-label="Documents">
      <div className="tools">
        <h2>Documents</h2><span className="grow" />
        {staff && <button className="primary" onClick={() => setAdding(true)}>Upload</button>}
      </div>
      <ul className="rows">{documents?.map((view) => <Row key={view.document._id} view={view} staff={staff} onShare={() => setSharing(view)} />)}</ul>
      {documents?.length === 0 && <p className="quiet">There are none that you may see.</p>}
      {adding && <Add studentId={studentId} onClose={() => setAdding(false)} />}
      {sharing && <Share view={sharing} onClose={() => setSharing(null)} />}
    </section>
  );
}

function Row({ view: { document, permissions, uploadedBy }, staff, onShare }: { view: DocumentView; staff: boolean; onShare: () => void }): ReactElement {
  const show = useShow();
  const edit = useMutation(api.documents.edit);
  const upload = useUpload("documents:edit");
  const { act, busy, problem } = useAct();
  const [dialog, setDialog] = useState<"versions" | "remove" | null>(null);
  const close = (): void => setDialog(null);
  const may = (permission: DocumentView["permissions"][number]): boolean => permissions.includes(permission);
  const replace = (file: File | undefined): void => {
    if (file) void act(() => sent(upload, file, (there) => edit({ documentId: document._id, file: there })));
  };
  return (
    <li>
      <span className="grow">
        <strong>{document.title}</strong>
        <small>{TYPES[document.documentType]} · {size(document.file.size)} · {uploadedBy?.name ?? "somebody"} · {day(document.updatedAt)}{document.version > 1 && ` · version ${document.version}`}</small>
        {document.description && <small>{document.description}</small>}
        {document.tags.length > 0 && <small className="tags">{document.tags.map((tag) => <span key={tag} className="badge">{tag}</span>)}</small>}
        <Sending upload={upload} />
        <Problem error={problem} />
      </span>
      {document.isConfidential && <span className="badge warn">Confidential</span>}
      {may("view") && <button disabled={busy} aria-label={`View ${document.title}`} onClick={() => void act(() => show(document))}>View</button>}
      {may("download") && <button disabled={busy} aria-label={`Download ${document.title}`} onClick={() => void act(() => show(document, { download: true }))}>Download</button>}
      {may("edit") && (
        <label className="button">New version<input type="file" accept={KINDS} aria-label={`New version of ${document.title}`} onChange={(event) => replace(event.target.files?.[0])} /></label>
      )}
      {staff && may("edit") && <button disabled={busy} aria-label={`Who sees it: ${document.title}`} onClick={onShare}>Who sees it</button>}
      {document.version > 1 && may("view") && <button aria-label={`Older versions of ${document.title}`} onClick={() => setDialog("versions")}>Older</button>}
      {may("edit") && <button className="plain danger" aria-label={`Delete ${document.title}`} onClick={() => setDialog("remove")}>Delete</button>}
      {dialog === "versions" && <Versions document={document} onClose={close} />}
      {dialog === "remove" && <Remove document={document} onClose={close} />}
    </li>
  );
}

/** Ask for an address of a document's bytes, and show them in a window or save them. */
function useShow(): (document: Document, what?: { download?: boolean; version?: number }) => Promise<void> {
  const client = useSynovia();
  const open = useMutation(api.documents.open);
  return async ({ _id }, what = {}) => {
    const shown = what.download ? null : window.open("about:blank", "_blank");
    try {
      const address = client.fileUrl(await open({ documentId: _id, ...what }));
      if (shown) shown.location.href = address;
      else location.assign(address);
    } catch (error) {
      shown?.close();
      throw error;
    }
  };
}

function Versions({ document, onClose }: { document: Document; onClose: () => void }): ReactElement {
  const versions = useQuery(api.documents.versions, { documentId: document._id });
  const show = useShow();
  const { act, busy, problem } = useAct();
  return (
    <Dialog title={document.title} onClose={onClose}>
      <Problem error={problem} />
      <ul className="people">
        {versions?.map(({ _id, version, file, createdAt }) => (
          <li key={_id}>
            <span className="grow"><strong>Version {version}</strong><small>{size(file.size)}, until {day(createdAt)}</small></span>
            <button className="plain" aria-label={`View version ${version}`} disabled={busy} onClick={() => void act(() => show(document, { version }))}>View</button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

function Remove({ document, onClose }: { document: Document; onClose: () => void }): ReactElement {
  const remove = useMutation(api.documents.remove);
  const { act, busy, problem } = useAct();
  return (
    <Dialog title={`Delete ${document.title}`} onClose={onClose}>
      <p>The document goes with its versions, for everybody who sees it, and does not come back. It would be kept until {day(document.keepUntil)}.</p>
      <Problem error={problem} />
      <footer className="ends"><button onClick={onClose}>Keep it</button><button className="danger" disabled={busy} onClick={() => void act(() => remove({ documentId: document._id })).then((done) => done && onClose())}>Delete it</button></footer>
    </Dialog>
  );
}

/** Send a file and do something with it once it is there; who cancels has done nothing wrong. Tells whether it was sent. */
async function sent(upload: Upload, file: File, then: (there: UploadId) => Promise<unknown>): Promise<boolean> {
  try {
    await then(await upload.start(file));
    return true;
  } catch (error) {
    if ((error as Error).name === "AbortError") return false;
    throw error;
  }
}

/** How far a file is on its way, while it is. */
function Sending({ upload: { status, sent, total, pause, resume, cancel } }: { upload: Upload }): ReactElement | null {
  if (status !== "sending" && status !== "paused") return null;
  return (
    <span className="sending">
      <progress max={1} value={total ? sent / total : 1} aria-label="Sent" />
      <small>{size(sent)} of {size(total)}</small>
      <button type="button" onClick={status === "paused" ? resume : pause}>{status === "paused" ? "Go on" : "Pause"}</button>
      <button type="button" onClick={cancel}>Cancel</button>
    </span>
  );
}

const size = (bytes: number): string => (bytes < 1_000 ? `${bytes} B` : bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

function Add({ studentId, onClose }: { studentId: Id<"students">; onClose: () => void }): ReactElement {
  const add = useMutation(api.documents.add);
  const versions = useQuery(api.ieps.history, { studentId });
  const [title, setTitle] = useState("");
  const [type, setType] = useState<keyof typeof TYPES>("assessment");
  const [isConfidential, setConfidential] = useState(false);
  const [withProgram, setWithProgram] = useState(false);
  const [description, setDescription] = useState("");
  const [tags, setTags] = useState("");
  const [goal, setGoal] = useState("");
  const program = useQuery(api.ieps.get, versions?.[0] ? { iepId: versions[0]._id } : "skip");
  const [file, setFile] = useState<File | null>(null);
  const upload = useUpload("documents:add");
  const { act, busy, problem } = useAct();
  const send = (event: FormEvent): void => {
    event.preventDefault();
    if (!file) return;
    const relatedIepId = withProgram ? versions?.[0]?._id : undefined;
    const data = {
      documentType: type, title: title || file.name, isConfidential, ...(description.trim() && { description: description.trim() }),
      tags: tags.split(",").map((tag) => tag.trim()).filter(Boolean),
    };
    const related = { ...(relatedIepId && { relatedIepId }), ...(goal && { relatedGoalId: goal as Id<"goals"> }) };
    void act(async () => {
      if (await sent(upload, file, (there) => add({ studentId, data, file: there, ...related }))) onClose();
    });
  };
  return (
    <Dialog title="Upload a document" onClose={onClose}>
      <form onSubmit={send}>
        <Field label="File"><input type="file" required accept={KINDS} onChange={(event) => setFile(event.target.files?.[0] ?? null)} /></Field>
        <Field label="Title"><input maxLength={200} placeholder={file?.name} value={title} onChange={(event) => setTitle(event.target.value)} /></Field>
        <Field label="Type">
          <select value={type} onChange={(event) => setType(event.target.value as keyof typeof TYPES)}>
            {Object.entries(TYPES).map(([value, text]) => <option key={value} value={value}>{text}</option>)}
          </select>
        </Field>
        <Field label="Description"><textarea maxLength={5000} rows={2} value={description} onChange={(event) => setDescription(event.target.value)} /></Field>
        <div className="pair">
          <Field label="Tags"><input maxLength={1000} placeholder="reading, autumn" value={tags} onChange={(event) => setTags(event.target.value)} /></Field>
          <Field label="About the goal">
            <select value={goal} onChange={(event) => setGoal(event.target.value)}>
              <option value="">none</option>
              {program?.goals.map(({ _id, goalNumber, description: about }) => <option key={_id} value={_id}>{goalNumber}: {about}</option>)}
            </select>
          </Field>
        </div>
        <label className="check"><input type="checkbox" checked={isConfidential} onChange={(event) => setConfidential(event.target.checked)} />Confidential: only who is named sees it, and each opening is marked in the log</label>
        {(versions?.length ?? 0) > 0 && <label className="check"><input type="checkbox" checked={withProgram} onChange={(event) => setWithProgram(event.target.checked)} />Whoever sees it may read the program, too</label>}
        <Sending upload={upload} />
        <Problem error={problem} />
        <footer><button className="primary" disabled={busy || !file}>Upload it</button></footer>
      </form>
    </Dialog>
  );
}

const RIGHTS = { view: "may view", download: "may download", edit: "may edit" } as const;

function Share({ view: { document }, onClose }: { view: DocumentView; onClose: () => void }): ReactElement {
  const readers = useQuery(api.documents.readers, { documentId: document._id });
  const share = useMutation(api.documents.share);
  const [email, setEmail] = useState("");
  const [permission, setPermission] = useState<keyof typeof RIGHTS>("view");
  const { act, busy, problem } = useAct();
  const send = (event: FormEvent): void => {
    event.preventDefault();
    void act(() => share({ documentId: document._id, email: email.trim(), permission })).then((done) => done && setEmail(""));
  };
  return (
    <Dialog title={document.title} onClose={onClose}>
      <ul className="people">
        {readers?.map(({ person, permission }) => <li key={person.id}><span className="grow"><strong>{person.name}</strong><small>{person.role} · {RIGHTS[permission]}</small></span></li>)}
      </ul>
      {readers?.length === 0 && <p className="quiet">Nobody is named. {document.isConfidential ? "The case manager and administrators see it." : "The team sees it."}</p>}
      <form onSubmit={send}>
        <Field label="E-mail address" hint="Of somebody of the organization: a colleague, a parent, the student"><input type="email" required value={email} onChange={(event) => setEmail(event.target.value)} /></Field>
        <Field label="Permission">
          <select value={permission} onChange={(event) => setPermission(event.target.value as keyof typeof RIGHTS)}>
            {Object.entries(RIGHTS).map(([value, text]) => <option key={value} value={value}>{text}</option>)}
          </select>
        </Field>
        <Problem error={problem} />
        <footer>
          <button type="button" disabled={busy || !email} onClick={() => void act(() => share({ documentId: document._id, email: email.trim(), permission: null })).then((done) => done && setEmail(""))}>No longer</button>
          <button className="primary" disabled={busy}>Give it</button>
        </footer>
      </form>
    </Dialog>
  );
}
