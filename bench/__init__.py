# SPDX-License-Identifier: Apache-2.0
"""How fast it is: ``python -m bench`` measures all and prints one table of ratios against floors of the same run.

Each module with a ``rows`` function is a part; ``__main__`` runs them, ``table`` says how a row looks.  Nothing here is
run with the tests, and nothing here is imported by ``nova``.
"""
