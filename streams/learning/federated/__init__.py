"""Learning between sites that do not show each other their people.

Each round a site sums what each of its people would change in the shared weights, clips each
person's part, adds Gaussian noise of its own and sends only that.

What is promised: user-level differential privacy towards everybody outside the site, the
coordinator and the other sites included. Two data sets are neighbours when all examples of one
person of one site are left out; the number of people a site declares is public. Whoever has people
in several sites adds up the budgets. A site trusts nobody but itself: noise and sampling come from
a secret key of its own, and its ledger stops it when its budget is spent.
What is not promised: that a hostile site cannot spoil the weights. Its pull is bounded by the
clipping it should have done and the people it declared, no better. Who sent an update is for the
transport to prove.
"""
