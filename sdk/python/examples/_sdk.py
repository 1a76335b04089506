"""Finds the package beside this folder, so that the examples run without installing anything."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
