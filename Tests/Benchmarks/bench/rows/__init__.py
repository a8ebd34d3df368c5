"""The rows of the table, in its order; each module has `run(bench)`, which yields findings."""

from . import placement, simulator, path, journalled, postgresql, tokens, gateway, engine, footprint

ALL = {
    module.__name__.rsplit(".", 1)[1]: module
    for module in (placement, simulator, path, journalled, postgresql, tokens, gateway, engine, footprint)
}
