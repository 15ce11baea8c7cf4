// Written by `synovia codegen`, which overwrites it: change the application instead.
/* eslint-disable */

import type { SystemTableNames } from "convex/server";
import type { GenericId } from "convex/values";

/** An array: which one it is, not its samples. */
export interface ArrayRef {
  digest: string;
  dtype: string;
  shape: number[];
}

/** A file: what there is to know of it, not its bytes. */
export interface StoredFile {
  digest: string;
  name: string;
  size: number;
  type: string;
  uploadedAt: number;
}

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
  _creationTime: number;
  _id: Id<"things">;
  flag: boolean;
  count: number;
  big: number | bigint;
  ratio: number;
  /** What it is called. */
  name: string;
  raw: ArrayBuffer;
  at: number;
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
  anything?: any;
  "odd key": number;
  for: number;
  /** Twice the count. */
  twice: number;
}

export interface Documents {
  things: Thing;
}

/** The names of the tables whose documents or ids clients see. */
export type TableNames = keyof Documents;

/** A document of a table. */
export type Doc<TableName extends TableNames> = Documents[TableName];

/** The id of a document of a table; at run time a string. */
export type Id<TableName extends TableNames | SystemTableNames> = GenericId<TableName>;

/** The tables as npm `convex` describes them. */
export type DataModel = {
  [TableName in TableNames]: {
    document: Doc<TableName>;
    fieldPaths: Extract<keyof Doc<TableName>, string>;
    indexes: { by_id: ["_id"]; by_creation_time: ["_creationTime"] };
    searchIndexes: {};
    vectorIndexes: {};
  };
};
