"""What a visitor's browser is asked to fetch."""

from qfl_explore.dashboards.frame.delivery import lean

PAGE = """<html>
  <head>
    <title>luxon and tabulator in words stay</title>
    <link rel="stylesheet" href="static/x/tabulator-tables@6.4.0/dist/css/tabulator.min.css?v=1" type="text/css" />
    <link rel="stylesheet" href="static/panel-material-ui.bundle.css?v=1" type="text/css" />
<script type="esms-options">{"shimMode": true}</script>
<script type="text/javascript" src="static/x/tabulator-tables@6.4.0/dist/js/tabulator.min.js"></script>
<script type="text/javascript" src="static/x/luxon/build/global/luxon.min.js"></script>
<script type="text/javascript" src="static/js/bokeh.min.js?v=1"></script>
<script type="text/javascript" src="static/js/bokeh-gl.min.js?v=1"></script>
<script type="text/javascript" src="static/js/bokeh-tables.min.js?v=1"></script>
  </head>
  <body><p>bokeh-gl</p></body>
</html>
"""


def test_unused_scripts_are_left_out_and_nothing_else():
    missing = [line for line in PAGE.splitlines() if line not in lean(PAGE).splitlines()]
    assert len(missing) == 4
    assert all(any(name in line for name in ("tabulator", "luxon", "bokeh-gl")) for line in missing)


def test_the_large_script_is_asked_for_first():
    head = lean(PAGE, "./static/bundle.js?abc").partition("<title>")[0]
    assert '<link rel="modulepreload" href="./static/bundle.js?abc">' in head
    assert "preload" not in lean(PAGE)


def test_our_script_follows_the_components_that_it_changes():
    head = lean(PAGE).partition("</head>")[0]
    assert head.index("bokeh-tables.min.js") < head.index("prototype._render_code = function")
