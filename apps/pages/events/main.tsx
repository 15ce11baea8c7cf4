import { open } from "../shared/session.tsx";
import { Events } from "./events.tsx";
import "./events.css";

open(
  {
    name: "events",
    title: "Events",
    words: "Tickets, the door and pictures, live.",
    development: { email: "ada@events.example", tenant: "" },
  },
  <Events />,
);
