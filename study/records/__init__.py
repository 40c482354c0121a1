"""Records on disk and as tables: the store, provenance, comparison, export."""
