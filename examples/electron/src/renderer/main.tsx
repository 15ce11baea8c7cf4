import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { SynoviaClient } from "synovia-client";
import { SynoviaProvider } from "synovia-client/react";
import { App } from "./app.tsx";
import "./styles.css";

const { hub, tokens } = window.desktop;

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <SynoviaProvider client={new SynoviaClient(hub, { tokens })}>
      <App />
    </SynoviaProvider>
  </StrictMode>,
);
