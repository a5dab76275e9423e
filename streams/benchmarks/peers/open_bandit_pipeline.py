"""What the Open Bandit Pipeline (obp) says about the small Open Bandit Dataset inside it.

python open_bandit_pipeline.py FOLDER

Runs in an environment of its own (see `open_bandit`) and knows nothing of ours. For every log and
campaign it writes FOLDER/{log}-{campaign}.npz: the log, obp's evaluation policies by position and
its regression model's estimates; and for all of them FOLDER/estimates.json.

obp imports torch, matplotlib and seaborn for what is not used here: neural learners and drawings.
They are stood in for, so that two gigabytes need not be installed to compute some means.
"""

import json
import logging
import sys
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge

torch = MagicMock(Tensor=type("Tensor", (), {}))
torch.nn.Module = torch.utils.data.Dataset = object
sys.modules |= {"torch": torch, "torch.nn": torch.nn, "torch.optim": torch.optim}
sys.modules |= {name: MagicMock() for name in ("matplotlib", "matplotlib.pyplot", "seaborn")}

from obp import dataset, ope, policy  # noqa: E402 - after the stand-ins

LOGS = ("random", "bts")
CAMPAIGNS = ("all", "men", "women")
SIMULATIONS = 5_000  # of Thompson sampling, for its probabilities
SEED = 12_345
SWITCH_AT = 5.0
ESTIMATORS = {
    "dm": ope.DirectMethod(),
    "ips": ope.InverseProbabilityWeighting(),
    "snips": ope.SelfNormalizedInverseProbabilityWeighting(),
    "dr": ope.DoublyRobust(),
    "sndr": ope.SelfNormalizedDoublyRobust(),
    "switch-dr": ope.SwitchDoublyRobust(tau=SWITCH_AT),
}


class OpenBanditDataset(dataset.OpenBanditDataset):
    """With the people's features alone; the default pre-processing needs an older pandas."""

    def pre_process(self) -> None:
        columns = self.data.columns.str.contains("user_feature")
        people = self.data.loc[:, columns]
        self.context = pd.get_dummies(people, drop_first=True).to_numpy(dtype=float)
        self.action_context = None


def main() -> None:
    logging.disable(logging.INFO)
    folder = Path(sys.argv[1])
    targets = {campaign: evaluation_policies(campaign) for campaign in CAMPAIGNS}
    estimates = {
        f"{log}-{campaign}": evaluate(log, campaign, targets[campaign], folder)
        for log in LOGS
        for campaign in CAMPAIGNS
    }
    (folder / "estimates.json").write_text(json.dumps(estimates))


def evaluation_policies(campaign: str) -> dict[str, Any]:
    """Probabilities of each target policy by action and position, (1, K, positions)."""
    some = OpenBanditDataset(behavior_policy="random", campaign=campaign)
    size = {"n_actions": some.n_actions, "len_list": some.len_list, "random_state": SEED}
    thompson = policy.BernoulliTS(is_zozotown_prior=True, campaign=campaign, **size)
    return {
        "random": policy.Random(**size).compute_batch_action_dist(n_rounds=1),
        "bts": thompson.compute_batch_action_dist(n_sim=SIMULATIONS, n_rounds=1),
    }


def evaluate(log: str, campaign: str, targets: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Estimates by target policy and estimator."""
    data = OpenBanditDataset(behavior_policy=log, campaign=campaign)
    feedback = data.obtain_batch_bandit_feedback()
    logged = {name: feedback[name] for name in ("reward", "action", "position", "pscore")}
    model = ope.RegressionModel(
        n_actions=data.n_actions, len_list=data.len_list, base_model=Ridge(alpha=1.0)
    )
    q_hat = model.fit_predict(context=feedback["context"], n_folds=3, random_state=SEED, **logged)
    at_position = q_hat[np.arange(data.n_rounds), :, logged["position"]]
    policies = {f"target-{name}": target[0] for name, target in targets.items()}
    np.savez(folder / f"{log}-{campaign}.npz", q_hat=at_position, **logged, **policies)
    return {
        name: {
            each: estimator.estimate_policy_value(
                action_dist=np.repeat(target, data.n_rounds, axis=0),
                estimated_rewards_by_reg_model=q_hat,
                **logged,
            )
            for each, estimator in ESTIMATORS.items()
        }
        for name, target in targets.items()
    }


if __name__ == "__main__":
    main()
