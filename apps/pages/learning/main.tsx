import { open } from "../shared/session.tsx";
import { Learning } from "./learning.tsx";
import "./learning.css";

open(
  {
    name: "learning",
    title: "Learning",
    words: "Who takes which course, and who waits for an answer.",
    development: { email: "ada@north.example", tenant: "north" },
    claim: "tenantId",
  },
  <Learning />,
);
