"""``python -m sirencodec``: the command line."""

from sirencodec.cli import main

if __name__ == "__main__":  # the processes of ``encode --jobs`` import this module, too
    main(prog_name="sirencodec")
