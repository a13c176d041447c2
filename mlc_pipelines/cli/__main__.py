"""`python -m mlc_pipelines.cli` is the `mlc` command."""

from mlc_pipelines.cli import main

main()
