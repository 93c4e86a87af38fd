"""What the stand-in actions beside this file run, each as ``python -m assay.act.stand_ins.<name>``.

They use the standard library only, so that any Python of at least 3.11 on a job's PATH will do.
"""
