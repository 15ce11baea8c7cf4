"""Tables, ids, fields and indexes, as an application declares them."""

from synovia.schema.arrays import Array, ArrayField, Float64Array
from synovia.schema.ids import Id, id_to_bson
from synovia.schema.specs import Document, TableSpec
from synovia.schema.tables import Index, Model, Table, database_name
from synovia.schema.values import bson_of_field, to_bson

__all__ = [
    "Array", "ArrayField", "Document", "Float64Array", "Id", "Index", "Model", "Table", "TableSpec", "bson_of_field",
    "database_name", "id_to_bson", "to_bson",
]  # fmt: skip
