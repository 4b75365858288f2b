"""The map outside the console: what each form says, and that no name can break it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

import golden
from gwtui.errors import UsageError
from gwtui.model.ids import ExternalKey, GatewayKey, ServiceKey
from gwtui.model.shape import FrontDoor, GatewayRole, Hop, MeshMembership, MeshMode
from gwtui.model.snapshot import ClusterView, Snapshot
from gwtui.model.topology import relate
from gwtui.tui.theming import theme_names, themes_dir
from gwtui.views.fleet_map import fleet_map
from gwtui.views.map_document import map_document
from gwtui.views.map_mermaid import map_mermaid
from gwtui.views.map_svg import map_svg
from gwtui.views.map_text import map_text
from gwtui.views.scene import Scene
from gwtui.views.spans import Role
from gwtui.wiring.inks import theme_inks
from objects import load
from tests.tui import fleet as made
from tests.tui import fleets

HOSTILE = "<b>&\"';#|`\\\x1b[31m\n%%{end}]]"
SVG = "{http://www.w3.org/2000/svg}"
DEAD = made.FAILED.clusters[made.CLUSTER]


def scene(snapshot: Snapshot, *clusters: str) -> Scene:
    return Scene(snapshot, clusters or (made.CLUSTER,), made.NOW)


def with_topology(**changes: Any) -> Snapshot:
    whole = made.central_ingress()
    cluster = whole.clusters[made.CLUSTER]
    return replace(whole, clusters={made.CLUSTER: replace(cluster, topology=replace(cluster.topology, **changes))})


def hostile() -> Snapshot:
    door = FrontDoor(gateway=made.EDGE, kind=HOSTILE, name=HOSTILE)
    gateways = tuple(replace(node, problems=(HOSTILE,), namespaces=(HOSTILE,)) for node in made.TOPOLOGY.gateways)
    return with_topology(front_doors=(door,), gateways=gateways, problems=(HOSTILE,))


def related(name: str) -> Scene:
    """The objects an installation leaves, before any proxy answered."""
    objects = load(name)
    view = ClusterView(name=made.CLUSTER, objects=objects, sources=made.READY, topology=relate(made.CLUSTER, objects))
    return scene(Snapshot(revision=1, clusters={made.CLUSTER: view}))


INSTALLATIONS = sorted(path.name.removesuffix(".in.yaml") for path in (golden.GOLDEN / "topology").glob("*.in.yaml"))


def two_clusters() -> Scene:
    whole = made.central_ingress()
    dead = ClusterView(name="dead", sources=DEAD.sources)
    return scene(replace(whole, clusters={**whole.clusters, "dead": dead}), made.CLUSTER, "dead")


EVERY_SCENE = [
    pytest.param(scene(made.central_ingress()), id="central-ingress"),
    pytest.param(scene(made.healthy()), id="healthy"),
    pytest.param(scene(made.stale()), id="stale"),
    pytest.param(scene(hostile()), id="hostile"),
    pytest.param(two_clusters(), id="two-clusters"),
    pytest.param(scene(made.LOADING), id="loading"),
    pytest.param(scene(made.EMPTY), id="empty"),
    pytest.param(scene(made.FAILED), id="failed"),
]


# --- json ---


def test_recorded_document():
    golden.check("map/central-ingress.json", map_document(scene(made.central_ingress())))


@pytest.mark.parametrize("each", EVERY_SCENE)
def test_the_document_is_plain_json_with_the_same_keys_for_every_cluster(each: Scene):
    document = map_document(each)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    for cluster in document["clusters"]:
        assert list(cluster) == [
            "name",
            "state",
            "detail",
            "hint",
            "patterns",
            "missing",
            "tiers",
            "front_doors",
            "edges",
            "problems",
        ]


def test_every_null_figure_of_an_edge_has_its_reason():
    edges = [
        edge
        for snapshot in (made.central_ingress(), replace(made.central_ingress(), proxies={}))
        for cluster in map_document(scene(snapshot))["clusters"]
        for edge in cluster["edges"]
    ]
    empty = 0
    for edge in edges:
        for row in (edge, *edge["routes"]):
            missing = {key for key in ("rps", "observed_share", "error_ratio") if key in row and row[key] is None}
            assert missing == set(row.get("unknown", {}))
            empty += len(missing)
    assert empty


def test_a_gateway_stands_in_its_tier_with_what_it_serves_and_what_runs_it():
    mesh = MeshMembership(mode=MeshMode.AMBIENT, configured=True, captured=1, pods=2)
    nodes = (made.TOPOLOGY.gateways[0], replace(made.TOPOLOGY.gateways[1], mesh=mesh, role=GatewayRole.EGRESS))
    outside = Hop(
        source=made.SHARD_A,
        target=ExternalKey(made.CLUSTER, "api.example.com"),
        rule="external",
        envoy_clusters=(),
        shares=(),
    )
    inside = replace(outside, target=ServiceKey(made.CLUSTER, "foo", "cart"), rule="backend")
    (cluster,) = map_document(scene(with_topology(gateways=nodes, hops=(inside, outside))))["clusters"]
    assert [tier["tier"] for tier in cluster["tiers"]] == [1, 2]
    (shard,) = cluster["tiers"][1]["gateways"]
    assert (shard["namespace"], shard["name"]) == ("infra", "shard-a")
    assert (shard["namespaces"], shard["hostnames"]) == (["bar", "foo"], ["shop.example.com"])
    assert (shard["role"], shard["data_plane"]) == ("egress", "kgateway")
    assert shard["mesh"] == {"mode": "ambient", "configured": True, "captured": 1, "pods": 2}
    assert (shard["state"], shard["answering"], len(shard["proxies"])) == ("1/2 answer", 1, 2)
    assert cluster["tiers"][0]["gateways"][0]["mesh"] is None
    assert [(edge["to"], edge["to_kind"], edge["rule"]) for edge in cluster["edges"]] == [
        ("foo/cart", "service", "backend"),
        ("api.example.com", "external", "external"),
    ]
    assert cluster["front_doors"] == [
        {"kind": "NLB", "name": "edge-eu.elb.example", "gateway": "infra/edge", "evidence": ""}
    ]


def test_a_shape_nobody_recognises_says_what_is_missing():
    missing = ("a Gateway that a route is attached to",)
    strange = scene(with_topology(patterns=(), missing=missing))
    (cluster,) = map_document(strange)["clusters"]
    assert (cluster["patterns"], cluster["missing"]) == ([], list(missing))
    assert f"pattern not recognised: {missing[0]}" in map_text(strange, cells=140)


def test_a_dead_cluster_is_told_beside_the_living_one():
    living, dead = sorted(map_document(two_clusters())["clusters"], key=lambda cluster: cluster["name"], reverse=True)
    assert (living["state"], dead["state"]) == ("ready", "failed")
    assert dead["tiers"] == dead["edges"] == []
    assert "timed out" in dead["detail"]


@pytest.mark.parametrize("name", INSTALLATIONS)
def test_every_installation_has_a_whole_map_in_every_form(name: str):
    each = related(name)
    shape = each.snapshot.clusters[made.CLUSTER].topology
    (cluster,) = map_document(each)["clusters"]
    gateways = [f"{row['namespace']}/{row['name']}" for tier in cluster["tiers"] for row in tier["gateways"]]
    assert sorted(gateways) == sorted(str(node.key) for node in shape.gateways)
    assert len(cluster["edges"]) == len(shape.hops)
    for edge in cluster["edges"]:
        assert edge["from"] in gateways
        assert edge["to_kind"] != "gateway" or edge["to"] in gateways
        assert edge["rps"] is None, "no proxy was asked"
        assert edge["unknown"]["rps"]
    assert {door["gateway"] for door in cluster["front_doors"]} <= set(gateways)
    assert bool(cluster["patterns"]) != bool(cluster["missing"] and gateways)
    drawn = (map_text(each, cells=220), map_text(each, cells=80), map_mermaid(each), "\n".join(words(parsed(each))))
    for form in drawn:
        assert all(node.key.name[:5] in form for node in shape.gateways)


# --- text ---


def test_recorded_texts():
    golden.check("map/central-ingress-140.txt", map_text(scene(made.central_ingress()), cells=140))
    golden.check("map/central-ingress-80.txt", map_text(scene(made.central_ingress()), cells=80))


@pytest.mark.parametrize("each", EVERY_SCENE)
@pytest.mark.parametrize("cells", [40, 80, 109, 110, 140, 220])
def test_a_text_fits_its_width_and_carries_nothing_but_text(each: Scene, cells: int):
    drawn = map_text(each, cells=cells)
    assert all(len(row) <= cells for row in drawn.splitlines()), max(drawn.splitlines(), key=len)
    assert all(row == row.rstrip() for row in drawn.splitlines())
    assert "\x1b" not in drawn
    assert "2026-03-01 14:02:50 UTC" in drawn


def test_the_tree_replaces_the_drawing_where_it_would_not_fit():
    wide, narrow = (map_text(scene(made.central_ingress()), cells=cells) for cells in (110, 109))
    assert "TIER 1" in wide
    assert "╭ ◐ infra/edge" in wide
    assert "TIER 1" not in narrow
    assert "├━◐ infra/shard-a" in narrow


def test_the_text_says_what_could_not_be_read_and_why_something_is_not_well():
    drawn = map_text(two_clusters(), cells=140)
    assert "cannot reach dead" in drawn
    assert "infra/shard-b  errors: 1.04% of its answers are 5xx" in drawn
    assert "4/6 proxies answered" in drawn


# --- svg ---


def parsed(each: Scene, theme: str = "light") -> ET.Element:
    return ET.fromstring(map_svg(each, theme_inks(theme)))


def words(element: ET.Element) -> list[str]:
    return ["".join(text.itertext()) for text in element.iter(f"{SVG}text")]


@pytest.mark.parametrize("theme", theme_names(themes_dir()))
@pytest.mark.parametrize("each", EVERY_SCENE)
def test_the_picture_is_valid_and_stands_alone(each: Scene, theme: str):
    document = map_svg(each, theme_inks(theme))
    root = ET.fromstring(document)
    assert root.tag == f"{SVG}svg"
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg",
        "title",
        "rect",
        "g",
        "text",
        "tspan",
        "path",
    }
    assert "href" not in document
    assert "url(" not in document
    inks = theme_inks(theme)
    known = {inks.paper, inks.card, *inks.roles.values(), "none"}
    used = {element.get(name) for element in root.iter() for name in ("fill", "stroke")} - {None}
    assert used <= known


@pytest.mark.parametrize("each", EVERY_SCENE)
def test_nothing_lies_outside_the_picture(each: Scene):
    root = parsed(each)
    wide, high = float(root.get("width", 0)), float(root.get("height", 0))
    for element in root.iter(f"{SVG}rect"):
        if element.get("x") is not None:
            assert float(element.get("x", 0)) + float(element.get("width", 0)) <= wide
            assert float(element.get("y", 0)) + float(element.get("height", 0)) <= high
    for element in root.iter(f"{SVG}text"):
        assert 0 < float(element.get("y", 0)) < high


def test_the_picture_tells_cluster_pattern_time_coverage_and_states():
    written = words(parsed(scene(made.central_ingress())))
    assert "prod-eu  PROD  ▸ sharded behind central ingress" in written
    assert any("2026-03-01 14:02:50 UTC" in row and "4/6 proxies answered" in row for row in written)
    assert "✖ infra/shard-b" in written
    assert "71%" in written
    assert "shop 90≠71%" in written
    assert any("thickness" in row for row in written)
    assert any("✖ failing" in row and "○ unknown" in row for row in written)


def test_a_cluster_is_named_where_its_part_of_the_picture_begins():
    both = scene(fleets.two_clusters(), made.CLUSTER, "lab-us")
    root = parsed(both)
    placed = {"".join(node.itertext()): node for node in root.iter(f"{SVG}text")}
    bands = [placed["lab-us"], placed["prod-eu  PROD"]]
    assert [band.get("x") for band in bands] == ["16", "16"]
    tops = [float(band.get("y", "0")) for band in bands]
    rects = [box for group in root.iter(f"{SVG}g") for box in group.iter(f"{SVG}rect")]
    boxes = [(float(box.get("y", "0")), float(box.get("height", "0"))) for box in rects]
    for top in tops:
        assert not any(y < top < y + height for y, height in boxes)
        assert min(y - top for y, _ in boxes if y > top) < 18
    assert len([y for y, _ in boxes if tops[0] < y < tops[1]]) == len(
        [card for card in fleet_map(both).cards if card.id.cluster == "lab-us"]
    )
    alone = parsed(scene(made.central_ingress()))
    assert "prod-eu  PROD" not in {"".join(node.itertext()) for node in alone.iter(f"{SVG}text")}


def test_edges_are_as_thick_as_their_share_and_failing_ones_carry_a_mark():
    inks = theme_inks("light")
    root = parsed(scene(made.central_ingress()))
    strokes = {
        (path.get("stroke"), float(path.get("stroke-width", 0)))
        for path in root.iter(f"{SVG}path")
        if path.get("stroke") and not path.get("stroke-dasharray")
    }
    well = sorted(width for colour, width in strokes if colour == inks.roles[Role.EDGE])
    failing = sorted(width for colour, width in strokes if colour == inks.roles[Role.BAD])
    assert len(well) == 3
    assert len(failing) == 2
    assert failing[0] < well[1] < well[-1] < failing[1], "29 % < 71 % < 90 % < 100 %"
    assert {"29% ✖", "✖"} <= set(words(root))


def test_what_nobody_observes_is_dotted_and_what_carries_nothing_is_dashed():
    quiet = made.central_ingress()
    hops = (Hop(source=made.EDGE, target=made.SHARD_A, rule="D1", envoy_clusters=("none",), shares=()),)
    cluster = quiet.clusters[made.CLUSTER]
    cluster = replace(cluster, topology=replace(cluster.topology, hops=hops, front_doors=()))
    dashes = {
        path.get("stroke-dasharray")
        for path in parsed(scene(replace(quiet, clusters={made.CLUSTER: cluster}))).iter(f"{SVG}path")
    }
    assert "0.1 4.5" in dashes
    proxies = {
        key: replace(
            view,
            traffic=replace(
                view.traffic,
                clusters={
                    name: replace(one, rps=made.seen(0.0 if name == "shard_b" else 9.0))
                    for name, one in view.traffic.clusters.items()
                },
            ),
        )
        for key, view in quiet.proxies.items()
    }
    dashes = {
        path.get("stroke-dasharray") for path in parsed(scene(replace(quiet, proxies=proxies))).iter(f"{SVG}path")
    }
    assert "7 5" in dashes


def test_a_renderer_draws_it(tmp_path):
    if shutil.which("rsvg-convert") is None:
        pytest.skip("rsvg-convert is not installed on this machine")
    for index, each in enumerate((scene(made.central_ingress()), scene(hostile()), two_clusters())):
        source, picture = tmp_path / f"{index}.svg", tmp_path / f"{index}.png"
        source.write_text(map_svg(each, theme_inks("dark")), encoding="utf-8")
        done = subprocess.run(
            ["rsvg-convert", str(source), "-o", str(picture)], capture_output=True, text=True, timeout=30, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("theme", theme_names(themes_dir()))
def test_every_theme_gives_every_role_a_colour(theme: str):
    inks = theme_inks(theme)
    assert set(inks.roles) == set(Role)
    assert all(re.fullmatch(r"#[0-9A-F]{6}", colour) for colour in (inks.paper, inks.card, *inks.roles.values()))


def test_an_unknown_theme_names_the_known_ones():
    with pytest.raises(UsageError, match="no theme nonsense") as refused:
        theme_inks("nonsense")
    assert "light" in refused.value.hint


# --- mermaid ---


def test_recorded_chart():
    golden.check("map/central-ingress.mmd", map_mermaid(scene(made.central_ingress())))


@pytest.mark.parametrize("each", EVERY_SCENE)
def test_every_line_of_a_chart_is_one_of_the_forms_we_mean(each: Scene):
    head, title, closing, kind, *lines = map_mermaid(each).splitlines()
    assert (head, closing, kind) == ("---", "---", "flowchart LR")
    assert json.loads(title.removeprefix("title: "))
    label = r'"(?:[^"<]|<br/>)*"'
    forms = (
        rf"subgraph [tc][\d_]+\[{label}\]",
        "end",
        rf"n\d+(?:\(\[{label}\]\)|\[\[{label}\]\]|\[{label}\])",
        rf"n\d+ (?:-->|==>|-\.->)(?:\|{label}\|)? n\d+",
        r"classDef \w+ [\w:,\- ]+",
        r"class n\d+(?:,n\d+)* \w+",
        "%% .*",
    )
    for row in lines:
        assert any(re.fullmatch(form, row.strip()) for form in forms), row
        assert "%%{" not in row, "a directive, wherever it stands"
    assert sum(row.strip().startswith("subgraph") for row in lines) == sum(row.strip() == "end" for row in lines)
    declared = {match[0] for row in lines if (match := re.match(r"n\d+(?=[\[(])", row.strip()))}
    assert {name for row in lines for name in re.findall(r"\bn\d+\b(?= |$)", re.sub(label, "", row))} <= declared


def test_a_chart_of_several_clusters_has_a_frame_for_each():
    whole = made.central_ingress()
    other = replace(
        made.TOPOLOGY,
        gateways=(replace(made.TOPOLOGY.gateways[0], key=GatewayKey("west", "infra", "edge"), proxies=()),),
        hops=(),
        front_doors=(),
    )
    west = ClusterView(name="west", sources=made.READY, topology=other)
    chart = map_mermaid(scene(replace(whole, clusters={**whole.clusters, "west": west}), made.CLUSTER, "west"))
    assert 'subgraph c0["prod-eu"]' in chart
    assert 'subgraph c1["west"]' in chart


def test_states_are_told_apart_without_colour():
    chart = map_mermaid(scene(made.central_ingress()))
    assert "✖ infra/shard-b errors" in chart
    assert re.search(r"class n\d+,n\d+ failing", chart)
    assert "#" not in re.sub(r"#\w+;", "", chart)


def test_figures_that_are_too_old_are_no_figures():
    later = Scene(made.central_ingress(), (made.CLUSTER,), made.NOW.replace(hour=15))
    (cluster,) = map_document(later)["clusters"]
    assert all(gateway["rps"] is None for tier in cluster["tiers"] for gateway in tier["gateways"])
    assert all(edge["rps"] is None and edge["unknown"]["rps"] for edge in cluster["edges"])
    assert "no rates" in map_text(later, cells=140)
