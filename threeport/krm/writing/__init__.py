"""The way of a write: read, make the next version, validate, admit, seal, store; again if another write came between.

`creating`, `updating`, `applying` and `deleting` each make a `plans.Plan`: a write that is ready to be made, or the
finding that there is nothing to write. `committing` carries plans out. Single requests make one and commit it; a
transaction makes several and commits them together.
"""
