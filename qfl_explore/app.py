"""What ``panel serve qfl_explore/app.py`` runs for each visitor; everything else lives in modules."""

from qfl_explore.dashboards.frame.delivery import deliver
from qfl_explore.dashboards.frame.shell import create_app

deliver(create_app())
