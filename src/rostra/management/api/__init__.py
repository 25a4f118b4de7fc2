"""The management API: every declared resource with the wire conventions of the specification's sheet 10."""
