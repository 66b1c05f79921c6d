"""An intruder at the site: every address, as every role and program of other agencies, with the ids of others.

What an agency's people and programs can reach is learnt by looking at each of their pages and lists and at the forms
on them. Then others send the same, and what the routes themselves allow, with the same ids, cursors, ETags and keys.
Two things are held: the answer for what is hidden from the asker is byte for byte that for what does not exist, and no
answer holds a word that is hidden from the asker. What is hidden, the database says: whatever row the asker's scope
does not see, and is not told to anyone else's in a row that it does see. Each row has a word of its own for that.
"""

from __future__ import annotations

from tests.trespass.grounds import UNLIMITED, Grounds, make_grounds
from tests.trespass.learning import one_of_each
from tests.trespass.trial import EXPECTED, Findings, trespass

__all__ = ["EXPECTED", "UNLIMITED", "Findings", "Grounds", "make_grounds", "one_of_each", "trespass"]
