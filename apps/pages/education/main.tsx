import { open } from "../shared/session.tsx";
import { Education } from "./education.tsx";
import "./education.css";

open(
  {
    name: "education",
    title: "Education",
    words: "Programs, goals and documents of students, for those who work with them.",
    development: { email: "theo@alder.example", tenant: "" },
  },
  <Education />,
);
