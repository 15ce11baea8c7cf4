/** Where things are; tests run in the folder of the package. */
import { resolve } from "node:path";

const BIN = resolve("../../.venv/bin");
export const SYNOVIA = resolve(BIN, "synovia");
export const PYTHON = resolve(BIN, "python");
export const APP = resolve("test/app");
export const TESTS = resolve("../../tests");
