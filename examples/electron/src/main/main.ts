/** The main process: one window whose page comes from app://reception, and what that page may ask for. */
import { join } from "node:path";
import { app, BrowserWindow, ipcMain, protocol, safeStorage, shell, type IpcMainEvent, type IpcMainInvokeEvent } from "electron";
import type { TokenSet } from "synovia-client";
import { isWebAddress, pageFiles } from "./page-files.ts";
import { SignIn } from "./sign-in.ts";
import { TokenFile } from "./token-file.ts";

const HUB = process.env["SYNOVIA_URL"] ?? "ws://127.0.0.1:8000";
const PAGE = "app://reception/";
const FILES = join(import.meta.dirname, "..");

protocol.registerSchemesAsPrivileged([{ scheme: "app", privileges: { standard: true, secure: true, supportFetchAPI: true } }]);

app.on("window-all-closed", () => app.quit());
await app.whenReady();

const signIn = new SignIn(HUB, (url) => shell.openExternal(url));
const tokens = new TokenFile(join(app.getPath("userData"), "tokens"), safeStorage);

/** Whether a message comes from our own page; every frame of every window may send some. */
const isOurs = ({ senderFrame }: IpcMainEvent | IpcMainInvokeEvent): boolean => senderFrame?.url.startsWith(PAGE) === true;

function answer(channel: string, run: (argument: string) => unknown): void {
  ipcMain.handle(channel, (event, argument: unknown) => {
    if (!isOurs(event)) throw new Error("this is for our own page");
    return run(String(argument));
  });
}

function answerAtOnce(channel: string, run: (argument: unknown) => unknown): void {
  ipcMain.on(channel, (event, argument: unknown) => {
    event.returnValue = isOurs(event) ? run(argument) : null;
  });
}

answer("ways", () => signIn.ways());
answer("sign-in", (issuer) => signIn.with(issuer));
answer("cancel-sign-in", () => signIn.cancel());
answerAtOnce("hub", () => HUB);
answerAtOnce("load-tokens", () => tokens.load());
answerAtOnce("save-tokens", (given) => tokens.save(given as TokenSet | null));

protocol.handle("app", pageFiles(join(FILES, "page"), HUB));

const window = new BrowserWindow({
  width: 960,
  height: 680,
  title: "Reception",
  webPreferences: { preload: join(FILES, "preload", "preload.cjs"), sandbox: true, contextIsolation: true },
});
window.removeMenu();
window.webContents.setWindowOpenHandler(({ url }) => {
  if (isWebAddress(url)) void shell.openExternal(url);
  return { action: "deny" };
});
window.webContents.on("will-navigate", (event) => {
  if (!event.url.startsWith(PAGE)) event.preventDefault();
});
await window.loadURL(PAGE);
