"""The generated part of docs/: ``python -m sim.docs`` writes it, ``--check`` only compares."""
