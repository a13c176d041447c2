"""Ironvale Manufacturing, the second sample company: an industrial manufacturer on a 4-4-5 calendar."""
