/** What a function may be called with: checked here, because a server ends the connection of a client that sends it more. */
import { FunctionError } from "./errors.js";
import { ProtocolError, WireValueError } from "./protocol/errors.js";
import { pack } from "./protocol/pack.js";
import { FROM_CLIENT, unpack } from "./protocol/unpack.js";
import { isMap, type ValueMap } from "./protocol/values.js";

const LIMITS = { ...FROM_CLIENT, maxElements: FROM_CLIENT.maxElements - 16 }; // the message around them has some too

/** Give a copy of the arguments that later changes by the caller do not reach. FunctionError: they cannot be sent. */
export function checked(args: unknown): ValueMap {
  if (!isMap(args)) throw new FunctionError("invalid_arguments", "arguments are a map");
  return sendable(() => unpack(pack(args), LIMITS) as ValueMap);
}

/** Do something with arguments. FunctionError: they cannot be sent. */
export function sendable<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof ProtocolError) throw new FunctionError(error.code, `these arguments cannot be sent: ${error.message}`);
    if (!(error instanceof WireValueError)) throw error;
    throw new FunctionError("invalid_arguments", `these arguments cannot be sent: ${error.message}`);
  }
}
