import { open } from "../shared/session.tsx";
import { Planner } from "./planner.tsx";
import "./planner.css";

open(
  {
    name: "planner",
    title: "Planner",
    words: "What your organization plans, live.",
    development: { email: "ada@north.example", tenant: "org_north" },
    claim: "organizationId",
  },
  <Planner />,
);
