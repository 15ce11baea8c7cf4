/** Light, dark, or as the system has it. */
import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

const KEY = "synovia-dashboard:theme";
const THEMES: readonly Theme[] = ["system", "light", "dark"];
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();
let chosen: Theme = THEMES.find((theme) => theme === recall()) ?? "system";

function recall(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // a browser that keeps nothing
  }
}

function apply(): void {
  if (chosen === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = chosen;
  for (const listener of listeners) listener();
}

export function chooseTheme(theme: Theme): void {
  chosen = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // it holds until the page is left
  }
  apply();
}

function listen(changed: () => void): () => void {
  listeners.add(changed);
  return () => listeners.delete(changed);
}

export function useTheme(): Theme {
  return useSyncExternalStore(listen, () => chosen);
}

/** Whether it is dark now: for what is painted, not styled. */
export function useIsDark(): boolean {
  return useSyncExternalStore(listen, () => (chosen === "system" ? system.matches : chosen === "dark"));
}

system.addEventListener("change", apply);
apply();
