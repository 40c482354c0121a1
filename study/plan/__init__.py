"""A study as data: which trials it has, and what is still to be done."""
