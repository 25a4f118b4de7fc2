"""What the endpoints do, by section of the sheet; `clientapi.table` says which is which."""
