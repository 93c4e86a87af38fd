"""Verdict and evidence become Markdown: pure functions, nothing read and nothing sent."""
