import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ConvexProviderWithAuth, ConvexReactClient } from "convex/react";
import { App } from "./App";
import { SignInProvider, useSignIn } from "./sign-in";
import "./styles.css";

const convex = new ConvexReactClient(import.meta.env.VITE_CONVEX_URL ?? "http://127.0.0.1:8000");

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <SignInProvider>
      <ConvexProviderWithAuth client={convex} useAuth={useSignIn}>
        <App />
      </ConvexProviderWithAuth>
    </SignInProvider>
  </StrictMode>,
);
