/// <reference types="vite/client" />

interface ImportMetaEnv {
  /** The address of the hub, which to this page is a Convex deployment. */
  readonly VITE_CONVEX_URL?: string;
}
