/** Signing in from Electron, Tauri and other desktop programs: the system's browser, and tokens in the system's store. */
export { SignInError, type SignInCode } from "./errors.js";
export type { Fetch } from "./http.js";
export { page, type Arrived, type Listen, type Listener, type ReturnPage, type ReturnTexts } from "./return.js";
export {
  desktopSignIn,
  signInWays,
  type DesktopSignInOptions,
  type IssuerWay,
  type SignInWays,
  type SignInWaysOptions,
} from "./sign-in.js";
export { systemTokens, textOf, tokensIn, type SecretStore, type SystemTokensOptions } from "./tokens.js";
