/** What a function may be called with: checked here, because a server ends the connection of a client that sends it more. */
import { FunctionError } from "./errors.js";
import { ProtocolError, WireValueError } from "./protocol/errors.js";
import { pack } from "./protocol/pack.js";
import { FROM_CLIENT, unpack } from "./protocol/unpack.js";
import { isMap, type ValueMap } from "./protocol/values.js";

/** The message around path and arguments, at most. */
const ENVELOPE_BYTES = 64;
const ENVELOPE_ELEMENTS = 16;
const LIMITS = { ...FROM_CLIENT, maxElements: FROM_CLIENT.maxElements - ENVELOPE_ELEMENTS };

/**
 * Give a copy of the arguments that later changes by the caller do not reach. FunctionError: they cannot be sent.
 * @param maxMessageBytes How long a message may be.
 */
export function checked(path: string, args: unknown, maxMessageBytes = FROM_CLIENT.maxMessageBytes): ValueMap {
  return sendable(path, () => {
    if (!isMap(args)) throw new WireValueError("arguments are a map");
    const bytes = pack(args);
    const length = pack(path).length + bytes.length + ENVELOPE_BYTES;
    if (length > maxMessageBytes) throw new ProtocolError("too_large", `a message of ${length} bytes; the server takes ${maxMessageBytes}`);
    return unpack(bytes, LIMITS) as ValueMap;
  });
}

/** Do something with arguments. FunctionError: they cannot be sent. */
export function sendable<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof ProtocolError || error instanceof WireValueError)) throw error;
    const code = error instanceof ProtocolError && error.code === "too_large" ? "too_large" : "invalid_arguments";
    throw new FunctionError(code, `these arguments of ${path} cannot be sent: ${error.message}`);
  }
}
