"""The extracts: what each is, a YAML file; and for those that give more than blocks, how their tables are made.

A module here has one function, `select`: it takes tables of the lake by name, with declaration_id and ordinals, and
returns the extract's own tables by name. Rows of a keyed table carry declaration_id and natural_person_ordinal beside
the columns; rows of any other may. It reads nothing else, and writes nothing.
"""
