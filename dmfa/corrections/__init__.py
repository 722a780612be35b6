"""Corrections: what an employer asks to change in a declaration, as frames, and what becomes of it.

Import what is needed from the modules themselves: `shape` holds the frames of what is asked, `state` what has to be
known of the declarations concerned, `apply` decides on Forms, `system` and `replacement` make versions that no Form
asks for, `applied` is what all of them give, and `differences` tells what a version changed.
"""
