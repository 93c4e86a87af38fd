"""Runs a consumer's real workflow files on this machine, with real nektos/act.

:func:`assay.act.run.run_workflow` is one run from the outside; :class:`assay.act.harness.Harness`
is a repository, a local GitHub and act for as many runs as one wants.
"""
