"""Model fields that are stored encrypted, and blind indexes to find them by."""

from apps.vault.fields.blind_index import BlindIndexField
from apps.vault.fields.encrypted import EncryptedJSONField, EncryptedTextField
from apps.vault.fields.sealing import SealedValue, associated_data, open_column, open_columns

__all__ = [
    "BlindIndexField",
    "EncryptedJSONField",
    "EncryptedTextField",
    "SealedValue",
    "associated_data",
    "open_column",
    "open_columns",
]
