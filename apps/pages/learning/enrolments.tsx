/** The enrolments one by one: filters, an order, and pages, however many there are. */
import { useState, type ReactElement } from "react";
import { useMutation, usePaginatedQuery, useQuery } from "synovia-client/react";
import { Problem, useAct } from "../shared/ui.tsx";
import { api, type Id, type MemberProfile } from "./api/api.ts";
import { STATUSES, type Status } from "./reports.tsx";

const ORDERS = { "changed desc": "Last changed first", "changed asc": "Longest unchanged first", "made desc": "Newest first", "made asc": "Oldest first" };
const TONES = { enrolled: "accent", completed: "good", dropped: "bad" };
const moment = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

export function Enrolments(): ReactElement {
  const [courseId, setCourse] = useState<Id<"courses"> | "">("");
  const [status, setStatus] = useState<Status | "">("");
  const [by, setOrder] = useState<keyof typeof ORDERS>("changed desc");
  const [text, setText] = useState("");
  const [member, setMember] = useState<MemberProfile | null>(null);
  const hits = useQuery(api.members.search, text.trim() && text !== member?.name ? { text } : "skip");
  const [sort, order] = by.split(" ") as ["made" | "changed", "asc" | "desc"];
  const courses = useQuery(api.courses.list);
  const change = useMutation(api.courses.setStatus);
  const { act, problem } = useAct();
  const found = usePaginatedQuery(api.courses.enrolments, { ...(courseId && { courseId }), ...(member && { memberId: member._id }), ...(status && { status }), sort, order }, { pageSize: 25 });
  return (
    <section className="card" aria-label="Enrolments one by one">
      <div className="tools">
        <h2>One by one</h2>
        <span className="grow" />
        <span className="finder">
          <input type="search" aria-label="Member" placeholder="Any member" maxLength={200} value={text}
            onChange={(event) => (setText(event.target.value), setMember(null))} />
          {hits && (
            <ul aria-label="Members found">
              {hits.map((hit) => <li key={hit._id}><button className="plain" onClick={() => (setMember(hit), setText(hit.name))}>{hit.name}</button></li>)}
              {hits.length === 0 && <li className="quiet">Nobody is called that.</li>}
            </ul>
          )}
        </span>
        <select aria-label="Course" value={courseId} onChange={(event) => setCourse(event.target.value as Id<"courses">)}>
          <option value="">Any course</option>
          {courses?.map((course) => <option key={course._id} value={course._id}>{course.title}</option>)}
        </select>
        <select aria-label="Status" value={status} onChange={(event) => setStatus(event.target.value as Status | "")}>
          <option value="">Any status</option>
          {Object.entries(STATUSES).map(([value, text]) => <option key={value} value={value}>{text}</option>)}
        </select>
        <select aria-label="Order" value={by} onChange={(event) => setOrder(event.target.value as keyof typeof ORDERS)}>
          {Object.entries(ORDERS).map(([value, text]) => <option key={value} value={value}>{text}</option>)}
        </select>
      </div>
      <Problem error={problem} />
      <ul className="rows">
        {found.results.map(({ row, member, course }) => (
          <li key={row._id}>
            <span className="grow"><strong>{member}</strong> <small>{course}</small></span>
            <small>{moment.format(row.updatedAt)}</small>
            <span className={`badge ${TONES[row.status]}`}>{STATUSES[row.status]}</span>
            <select aria-label={`Status of ${member} in ${course}`} value={row.status}
              onChange={(event) => void act(() => change({ enrollmentId: row._id, status: event.target.value as Status }))}>
              {Object.entries(STATUSES).map(([value, text]) => <option key={value} value={value}>{text}</option>)}
            </select>
          </li>
        ))}
      </ul>
      {found.status === "Exhausted" && found.results.length === 0 && <p className="quiet">There are none.</p>}
      {found.status === "CanLoadMore" && <button onClick={() => found.loadMore()}>More</button>}
    </section>
  );
}
