"""Brings a parser in, and says in one line what is wrong with it."""

import os
import sys
import traceback

from vantage_answer import Unusable

PACKAGES = {
    "cv2": ("python3-opencv", "opencv-python-headless"),
    "numpy": ("python3-numpy", "numpy"),
    "PIL": ("python3-pil", "pillow"),
    "scipy": ("python3-scipy", "scipy"),
    "shapely": ("python3-shapely", "shapely"),
    "skimage": ("python3-skimage", "scikit-image"),
    "sklearn": ("python3-sklearn", "scikit-learn"),
    "yaml": ("python3-yaml", "pyyaml"),
}


def import_file(file):
    """As importlib.import_module(basename) with the folder on the path, but it can be no other module of that name."""
    import importlib.util

    import vantage_pyds

    sys.modules.setdefault("pyds", vantage_pyds)
    sys.path[0] = os.path.dirname(file)
    name = os.path.basename(file).split(".")[0]
    loader = importlib.machinery.SourceFileLoader(name, file)
    spec = importlib.util.spec_from_file_location(name, file, loader=loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def describe(error, folder):
    """One line: what, and where in the parser's own files."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(folder + os.sep)]
    text = str(error)
    if isinstance(error, SystemExit):
        text = "sys.exit(%s)" % text
    elif isinstance(error, SyntaxError) and error.filename:
        where = os.path.basename(error.filename)
        return "%s: %s (%s line %s)" % (type(error).__name__, error.msg, where, error.lineno)
    elif not isinstance(error, Unusable):
        text = "%s: %s" % (type(error).__name__, text) if text else type(error).__name__
    text = " ".join(text.split())[:400]
    if not own:
        return text
    last = own[-1]
    return "%s (%s line %d in %s)" % (text, os.path.relpath(last.filename, folder), last.lineno, last.name)


def missing_package(error):
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return None
    name = error.name.split(".")[0]
    apt, pip = PACKAGES.get(name, (None, name))
    return {"module": name, "apt": apt, "pip": pip}
