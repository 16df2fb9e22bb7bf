"""What the command line can do: one module per command, each with one function that typer reads.

A module imports typer, `common` and `options` at its top, and the engine inside its function, so that
`nle-fast --help` is quick.
"""
