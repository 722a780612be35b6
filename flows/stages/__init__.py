"""The stages of a run as plain functions: they compose the packages; the flows and the command line call them."""
