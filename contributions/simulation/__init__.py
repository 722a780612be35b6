"""A quarter under figures that are not the law: what if a limit, a rate, a share or a date were another.

`changes` says what is changed, `file` reads it from what an analyst writes, `effect` computes both laws side by side.
What comes out is of a type of its own, which no table of a lake takes.
"""
