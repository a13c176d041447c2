"""Ironvale Manufacturing, the second sample company: an industrial manufacturer on a 4-4-5 calendar."""

from mlc_pipelines.sandbox.ironvale.books import Ironvale
from mlc_pipelines.sandbox.ironvale.company import empty_books, sample_books
from mlc_pipelines.sandbox.ironvale.shapes import Line

__all__ = ["Ironvale", "Line", "empty_books", "sample_books"]
