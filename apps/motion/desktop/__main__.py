"""``python -m motion.desktop``: the program that is packaged."""

from motion.desktop.program import main

if __name__ == "__main__":
    main()
