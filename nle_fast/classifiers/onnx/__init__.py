"""ONNX files as classifiers; the one wing that loads ONNX and ONNX Runtime.

`model` is what users hold. `graph` is a file that has been read, `probe` measures it, `cut` finds the layer; `closed`
reads gradients off the weights, `gradients` writes them as nodes on a `tape` by the rules of `rules`, `moves` and
`windows`; `session` runs what was put together. `encoder` opens networks that give vectors, `export` makes files.
"""
