"""Torch modules as classifiers; the one wing that loads torch.

`model` is what users hold. `layers` finds the layer on what `tape` has recorded of `twin`, the user's network with the
same weights; `trunk` runs it to there, `head` and `rows` what follows, `look` and `graph` both at once on a GPU.
`known` makes the networks of other packages.
"""
