"""Tables, ids, fields and indexes, as an application declares them."""

from synovia.schema.aggregates import AggregateIndex
from synovia.schema.arrays import Array, ArrayField, Float64Array
from synovia.schema.encrypted import Encrypted, EncryptedSearchable, UnreadableField
from synovia.schema.faults import refusal
from synovia.schema.fields import FieldPath, field_of
from synovia.schema.files import File, FileLimits, Upload
from synovia.schema.id_clock import IdClock, RunIds
from synovia.schema.ids import FROM_CLIENT, Id, id_to_bson, time_of_id
from synovia.schema.index_fields import database_name
from synovia.schema.misfits import Misfit, Unreadable, misfit_of, read_document
from synovia.schema.models import Model
from synovia.schema.reading import field_value
from synovia.schema.search import SearchIndex
from synovia.schema.specs import (
    CREATION_TIME,
    SEARCH_TERMS,
    AggregateSpec,
    Document,
    Reading,
    SearchSpec,
    TableSpec,
    VectorSpec,
)
from synovia.schema.tables import Index, Table
from synovia.schema.values import Unstorable, to_bson
from synovia.schema.vectors import VectorIndex
from synovia.schema.wire_names import clash_of

__all__ = [
    "CREATION_TIME", "FROM_CLIENT", "SEARCH_TERMS", "AggregateIndex", "AggregateSpec", "Array", "ArrayField",
    "Document", "Encrypted", "EncryptedSearchable", "FieldPath", "File", "FileLimits", "Float64Array", "Id",
    "IdClock", "Index", "Misfit", "Model", "Reading", "RunIds", "SearchIndex", "SearchSpec", "Table", "TableSpec",
    "Unreadable", "UnreadableField", "Unstorable", "Upload", "VectorIndex", "VectorSpec", "clash_of", "database_name",
    "field_of", "field_value", "id_to_bson", "misfit_of", "read_document", "refusal", "time_of_id", "to_bson",
]  # fmt: skip
