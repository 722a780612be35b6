"""Thin Prefect flows over plain stages, and the command line `dmfa`."""
