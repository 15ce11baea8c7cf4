// A list of documents, whose rows count how often they are rendered.
import { memo } from "react";
import { createRoot } from "react-dom/client";
import { SynoviaClient } from "synovia-client";
import { SynoviaProvider, useQuery } from "synovia-client/react";

const counted = (window.counted = { rows: 0, lists: 0 });

const Row = memo(function Row({ sensor }) {
  counted.rows += 1;
  return <li>{sensor.label}: {sensor.level}</li>;
});

function List() {
  counted.lists += 1;
  const sensors = useQuery("sensors:in_room", { room: "a" });
  return sensors?.map((sensor) => <Row key={sensor._id} sensor={sensor} />);
}

createRoot(document.getElementById("root")).render(
  <SynoviaProvider client={new SynoviaClient("/")}>
    <List />
  </SynoviaProvider>,
);
