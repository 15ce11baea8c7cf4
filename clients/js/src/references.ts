/** Function paths that carry the types of their functions; `synovia codegen` writes them. */

export type FunctionKind = "query" | "mutation" | "action";

declare const signature: unique symbol;

/**
 * A path (`"recordings:list_mine"`) that knows what kind of function it names, its arguments and its result.
 * Any other string is a path too, with untyped arguments and result.
 */
export type FunctionReference<Kind extends FunctionKind = FunctionKind, Args = never, Result = unknown> = string & {
  readonly [signature]: readonly [kind: Kind, args: (args: Args) => void, result: Result];
};
export type QueryReference<Args, Result> = FunctionReference<"query", Args, Result>;
export type MutationReference<Args, Result> = FunctionReference<"mutation", Args, Result>;
export type ActionReference<Args, Result> = FunctionReference<"action", Args, Result>;

/** The arguments of a function; anything if the path says nothing of them. */
export type ArgsOf<F> = F extends FunctionReference<any, infer Args, any> ? Args : any;
/** The result of a function; anything if the path says nothing of it. */
export type ResultOf<F> = F extends FunctionReference<any, any, infer Result> ? Result : any;

/** What follows a path in a call: the arguments (optional if all of them are), then options. */
export type Rest<Kind extends FunctionKind, F, Options> =
  Is<Kind, F> extends true
    ? Record<never, never> extends ArgsOf<F>
      ? [args?: ArgsOf<F>, options?: Options]
      : [args: ArgsOf<F>, options?: Options]
    : [`this is no ${Kind}`];

/** Whether a path may be used as one of this kind: an untyped one always may. */
type Is<Kind, F> = F extends FunctionReference<infer K, any, any> ? (K extends Kind ? true : false) : true;
