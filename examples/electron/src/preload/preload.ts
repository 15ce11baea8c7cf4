/** Gives the page `window.desktop`. */
import { contextBridge, ipcRenderer } from "electron";
import type { Bridge } from "../bridge.ts";

const bridge: Bridge = {
  hub: ipcRenderer.sendSync("hub"),
  tokens: {
    load: () => ipcRenderer.sendSync("load-tokens"),
    save: (tokens) => ipcRenderer.sendSync("save-tokens", tokens),
  },
  ways: () => ipcRenderer.invoke("ways"),
  signIn: (issuer) => ipcRenderer.invoke("sign-in", issuer),
  cancelSignIn: () => void ipcRenderer.invoke("cancel-sign-in"),
};

contextBridge.exposeInMainWorld("desktop", bridge);
