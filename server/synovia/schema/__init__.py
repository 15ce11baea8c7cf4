"""Tables, ids, fields and indexes, as an application declares them."""

from synovia.schema.arrays import Array, ArrayField, Float64Array
from synovia.schema.id_clock import IdClock, RunIds
from synovia.schema.ids import Id, id_to_bson, time_of_id
from synovia.schema.specs import CREATION_TIME, Document, Reading, TableSpec
from synovia.schema.tables import Index, Model, Table, database_name
from synovia.schema.values import bson_of_field, to_bson
from synovia.schema.wire_names import clash_of

__all__ = [
    "CREATION_TIME", "Array", "ArrayField", "Document", "Float64Array", "Id", "IdClock", "Index", "Model", "Reading",
    "RunIds", "Table", "TableSpec", "bson_of_field", "clash_of", "database_name", "id_to_bson", "time_of_id", "to_bson",
]  # fmt: skip
