// Written by `synovia codegen`, which overwrites it: change the application instead.
/* eslint-disable */

import type { FunctionReference, PaginationResult } from "convex/server";

import type { Cat, CatInput, Dog, DogInput, Id, Pair, Part, PartInput, PlainInput, StoredFile, Thing } from "./dataModel.js";

/** What clients of everything may call, by module. */
export declare const api: {
  mailBox: {
    delete: FunctionReference<"action", "public", Record<string, never>, Record<string, number>>,
    /** Send a mail. It says: "\d", and ends with a "quote" */
    send: FunctionReference<"action", "public", { to: string; text?: string }, boolean>,
  },
  shop: {
    /** Count what is in the shop. */
    count: FunctionReference<"query", "public", Record<string, never>, number>,
    orders: {
      new: {
        create: FunctionReference<"mutation", "public", { thingId: Id<"things">; howMany?: number }, Id<"things">[]>,
        list: FunctionReference<"query", "public", { owner: Id<"things"> }, Part[]>,
      },
    },
  },
  things: {
    animals: FunctionReference<"query", "public",
      {
        kept: readonly (CatInput | DogInput)[];
      },
      Record<string, Cat | Dog>
    >,
    colors: FunctionReference<"query", "public", Record<string, never>, ["red" | "dark blue", number]>,
    /**
     * Read one.
     *
     * Returns:
     *     None if there is none.
     */
    get: FunctionReference<"query", "public",
      {
        /** Which one; over two lines. */
        thingId: Id<"things">;
      },
      Thing | null
    >,
    /** Take a file. */
    keepFile: FunctionReference<"mutation", "public", { scan: string; more?: string | null }, StoredFile>,
    list: FunctionReference<"query", "public", { limit?: number }, Thing[]>,
    /** Take nothing, give nothing. */
    nothingNeeded: FunctionReference<"query", "public", Record<string, never>, null>,
    page: FunctionReference<"query", "public", { cursor?: string | null; limit?: number }, PaginationResult<Thing>>,
    pairs: FunctionReference<"query", "public", Record<string, never>, Pair<number, Pair<string, Cat | Dog>>>,
    /** Save a thing. */
    save: FunctionReference<"mutation", "public",
      {
        flag: boolean;
        big: number | bigint;
        ratio: number;
        raw: ArrayBuffer;
        at: number;
        role: "reader" | "writer";
        series: never;
        pictures: readonly never[];
        parts: readonly PartInput[];
        table: Record<string, readonly (number | null)[]>;
        plain?: PlainInput | null;
        anything?: any;
      },
      Id<"things">
    >,
  },
};

export declare const internal: {};
export declare const components: {};
