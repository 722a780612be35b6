"""The declaration: read it, check it, keep it, give it out."""
