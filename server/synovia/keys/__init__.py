"""Index keys as bytes in MongoDB's order of values."""

from synovia.keys.documents import ParallelArrays, each_key, index_keys, keys_changed, most_keys, values_of
from synovia.keys.encoding import UNDEFINED, Tag, encode_value, millis_of
from synovia.keys.index import BY_ID, IndexSpec, Order
from synovia.keys.ranges import EMPTY, Interval, after, between, prefix
from synovia.keys.tuples import AFTER, decode, decode_bound, decode_given, encode, next_tag, tag_of

__all__ = [
    "AFTER", "BY_ID", "EMPTY", "UNDEFINED", "IndexSpec", "Interval", "Order", "ParallelArrays", "Tag", "after",
    "between", "decode", "decode_bound", "decode_given", "each_key", "encode", "encode_value", "index_keys",
    "keys_changed", "millis_of", "most_keys", "next_tag", "prefix", "tag_of", "values_of",
]  # fmt: skip
