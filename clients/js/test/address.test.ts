/** Addresses of hubs, and of what is beside their sockets. */
import { expect, it } from "vitest";
import { besideSocket, socketUrl } from "../src/address.js";

it.each([
  ["ws://127.0.0.1:8000", "ws://127.0.0.1:8000/sync"],
  ["wss://hub.example.org/", "wss://hub.example.org/sync"],
  ["https://hub.example.org/a/b?c=d", "wss://hub.example.org/a/b/sync?c=d"],
  ["ws://hub.example.org/sync-api", "ws://hub.example.org/sync-api/sync"],
  ["ws://hub.example.org/sync-api/", "ws://hub.example.org/sync-api/sync"],
  ["ws://hub.example.org/sync-api/sync", "ws://hub.example.org/sync-api/sync"],
  ["ws://hub.example.org/sync", "ws://hub.example.org/sync"],
])("%s is %s", (address, full) => {
  expect(socketUrl(address)).toBe(full);
});

it.each(["localhost:80", "ftp://host", "ws://u:p@host", "ws://host/#x"])("%s is none", (address) => {
  expect(() => socketUrl(address)).toThrow(TypeError);
});

it.each([
  ["ws://hub:8000/sync", "http://hub:8000/auth/sign-out"],
  ["wss://hub/sync-api/sync?c=d", "https://hub/sync-api/auth/sign-out"],
])("what is beside %s", (socket, beside) => {
  expect(besideSocket(socket, "/auth/sign-out")).toBe(beside);
});
