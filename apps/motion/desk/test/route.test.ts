import { expect, test } from "vitest";
import { linkTo, routeOf } from "../src/browser/route.ts";
import { emailOf } from "../src/auth/id-token.ts";

test("a link leads where it says, whatever is in it", () => {
  expect(routeOf(linkTo("recordings", "65f0"))).toEqual(["recordings", "65f0"]);
  expect(routeOf(linkTo("invite", "a/b c%#é"))).toEqual(["invite", "a/b c%#é"]);
});

test("any address is a route", () => {
  expect(routeOf("")).toEqual([]);
  expect(routeOf("#/")).toEqual([]);
  expect(routeOf("#live")).toEqual(["live"]);
  expect(routeOf("#/invite/%E0%A4%A")).toEqual(["invite", "%E0%A4%A"]);
});

test("the address in an ID token is found, and its absence", () => {
  const token = (claims: unknown): string => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;
  expect(emailOf(token({ email: "Ünä@Example.org" }))).toBe("ünä@example.org");
  expect(emailOf(token({ sub: "1" }))).toBeNull();
  expect(emailOf("no token")).toBeNull();
});
