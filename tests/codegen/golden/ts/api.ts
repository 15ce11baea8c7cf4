// Written by `synovia codegen`, which overwrites it: change the application instead.
/* eslint-disable */

import type { ActionReference, ArrayRef, MutationReference, NdArray, QueryReference, StoredFile, TypedArray, UploadId, Value } from "synovia-client";

declare const table: unique symbol;

/** The id of a document of a table; at run time a string. */
export type Id<Table extends string = string> = string & { readonly [table]: Table };

export interface Cat {
  kind: "cat";
  lives: number;
}

export interface CatInput {
  kind: "cat";
  lives: number;
}

export interface Dog {
  kind: "dog";
  name: string;
}

export interface DogInput {
  kind: "dog";
  name: string;
}

/**
 * Some items of a longer list; `next_cursor` leads to the following ones, None says that there are none.
 *
 * Attributes:
 *     split_cursor: Where the page may be cut into two; only if it was asked for by `PaginationOptions`.
 *     page_status: Whether it should be, likewise: `SplitRequired` says that `items` are not all of the page.
 */
export interface Page<T> {
  items: T[];
  nextCursor?: string;
  splitCursor?: string;
  pageStatus?: "SplitRecommended" | "SplitRequired";
}

/** A structure with parameters. */
export interface Pair<T1, T2> {
  first: T1;
  second: T2[];
}

/** A part, which has parts; it ends no comment: *\/ and quotes nothing: """. */
export interface Part {
  owner: Id<"things">;
  parts: Part[];
}

/** A part, which has parts; it ends no comment: *\/ and quotes nothing: """. */
export interface PartInput {
  owner: Id<"things">;
  parts?: readonly PartInput[];
}

/** A model that is not Synovia's keeps its own names. */
export interface PlainInput {
  snake_case: number;
}

/**
 * Every kind of field.
 *
 * Two paragraphs.
 */
export interface Thing {
  _id: Id<"things">;
  flag: boolean;
  count: number;
  big: number | bigint;
  ratio: number;
  /** What it is called. */
  name: string;
  raw: Uint8Array;
  at: Date;
  role: "reader" | "writer";
  mixed: "a" | 1 | true | 9007199254740993n;
  series: ArrayRef;
  picture?: ArrayRef;
  maybe?: string;
  either?: string | (number | null)[];
  names: string[];
  table: Record<string, ("reader" | "writer")[]>;
  byThing: Record<string, number>;
  part: Part;
  anything?: Value;
  "odd key": number;
  for: number;
  /** Twice the count. */
  twice: number;
}

/** What clients of everything may call, by module. */
export const api = {
  mailBox: {
    delete: "mail_box:delete" as ActionReference<Record<string, never>, Record<string, number>>,
    /** Send a mail. It says: "\d", and ends with a "quote" */
    send: "mail_box:send" as ActionReference<{ to: string; text?: string }, boolean>,
  },
  shop: {
    /** Count what is in the shop. */
    count: "shop:count" as QueryReference<Record<string, never>, number>,
    orders: {
      new: {
        create: "shop/orders/new:create" as MutationReference<
          {
            thingId: Id<"things">;
            howMany?: number;
          },
          Id<"things">[]
        >,
        list: "shop/orders/new:list" as QueryReference<{ owner: Id<"things"> }, Part[]>,
      },
    },
  },
  things: {
    animals: "things:animals" as QueryReference<{ kept: readonly (CatInput | DogInput)[] }, Record<string, Cat | Dog>>,
    colors: "things:colors" as QueryReference<Record<string, never>, ["red" | "dark blue", number]>,
    /**
     * Read one.
     *
     * Returns:
     *     None if there is none.
     */
    get: "things:get" as QueryReference<
      {
        /** Which one; over two lines. */
        thingId: Id<"things">;
      },
      Thing | null
    >,
    /** Take a file. */
    keepFile: "things:keep_file" as MutationReference<{ scan: UploadId; more?: UploadId | null }, StoredFile>,
    list: "things:list" as QueryReference<{ limit?: number }, Thing[]>,
    /** Take nothing, give nothing. */
    nothingNeeded: "things:nothing_needed" as QueryReference<Record<string, never>, null>,
    page: "things:page" as QueryReference<{ cursor?: string | null; limit?: number }, Page<Thing>>,
    pairs: "things:pairs" as QueryReference<Record<string, never>, Pair<number, Pair<string, Cat | Dog>>>,
    /** Save a thing. */
    save: "things:save" as MutationReference<
      {
        flag: boolean;
        big: number | bigint;
        ratio: number;
        raw: Uint8Array;
        at: Date;
        role: "reader" | "writer";
        series: Float64Array | NdArray | ArrayRef;
        pictures: readonly (TypedArray | NdArray | ArrayRef)[];
        parts: readonly PartInput[];
        table: Record<string, readonly (number | null)[]>;
        plain?: PlainInput | null;
        anything?: unknown;
      },
      Id<"things">
    >,
  },
};
