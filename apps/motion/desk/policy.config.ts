import type { Plugin } from "vite";

const GOOGLE = "https://accounts.google.com/gsi/";

const POLICY = [
  "default-src 'self'",
  `script-src 'self' ${GOOGLE}client`,
  // React and uPlot set styles through the CSSOM, which this allows; Google's button brings a sheet of its own
  `style-src 'self' ${GOOGLE}style`,
  `connect-src 'self' ws: wss: ${GOOGLE}`,
  `frame-src ${GOOGLE}`,
  "img-src 'self' data: https:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join("; ");

/** Write the content policy into the built page; the development server needs scripts of its own in the page. */
export function contentPolicy(): Plugin {
  return {
    name: "content-policy",
    apply: "build",
    transformIndexHtml: () => [{ tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: POLICY }, injectTo: "head-prepend" }],
  };
}
