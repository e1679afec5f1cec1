"""The page in a real browser, from a file and without a network: it works, and passes axe."""

import browser
import polars as pl
import pytest
from browser import opened, said_on_console, violations
from pages import NASTY, diverged, folder, rows, without_hits

import attnlogic
from attnlogic.report import write_page

pytestmark = pytest.mark.skipif(bool(browser.WHY_NOT), reason=browser.WHY_NOT)


@pytest.fixture(scope="module")
def runs():
    return pl.concat([rows(), rows(by="adamw"), rows(by="sgd", seeds=range(100, 160))])


@pytest.fixture(scope="module")
def page(tmp_path_factory, runs):
    path = tmp_path_factory.mktemp("page")
    parts = runs.partition_by("optimizer", maintain_order=True)
    write_page(folder(path / "demo", *parts), path / "page.html")
    return path / "page.html"


@pytest.fixture(scope="module")
def shown(page):
    with opened(page) as driver:
        yield driver


def cells(driver, table, column):
    """The texts of a column of a table."""
    return driver.execute_script(
        "return [...document.getElementById(arguments[0]).tBodies[0].rows]"
        ".map((row) => row.cells[arguments[1]].textContent)",
        table,
        column,
    )


def value(driver, name):
    return driver.execute_script("return document.getElementById(arguments[0]).value", name)


def settled(driver):
    """Wait until what was asked for in this frame has been shown."""
    driver.execute_async_script(
        "const done = arguments[0];"
        "requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)));"
    )


def choose(driver, **fields):
    """Write into the fields by keyboard."""
    from selenium.webdriver.common.by import By

    for name, text in fields.items():
        field = driver.find_element(By.ID, name)
        field.clear()
        field.send_keys(text)
    settled(driver)


def finite(runs, optimizer):
    return runs.filter(
        pl.col("optimizer") == optimizer,
        pl.col("C").is_not_null(),
        pl.col("final_loss").is_not_null(),
    )


def test_it_says_nothing_on_the_console_and_asks_for_nothing(page):
    with opened(page) as driver:
        assert said_on_console(driver) == []
        asked = [e["message"] for e in driver.get_log("performance")]
        assert not [m for m in asked if '"http' in m and "requestWillBeSent" in m]
        canvases = "return document.querySelectorAll('.view canvas').length"
        assert driver.execute_script(canvases) == 3


ODD = {
    "one run": lambda: [rows(seeds=[7])],
    "no hit": lambda: [without_hits(rows())],
    "all diverged": lambda: [diverged(rows())],
    "the first all diverged": lambda: [diverged(rows()), rows(by="sgd")],
}


@pytest.mark.parametrize("name", [*ODD, "no C"])
def test_a_page_of_odd_runs_is_as_quiet(tmp_path, name):
    if name in ODD:
        runs = folder(tmp_path / "odd", *ODD[name]())
    else:
        study = attnlogic.Study("xor", "adam", seeds=6, epochs=60, models="mlp")
        runs = attnlogic.run(study, out=tmp_path / "odd", progress=False)
    write_page(runs, tmp_path / "page.html")
    with opened(tmp_path / "page.html") as driver:
        assert said_on_console(driver) == []
        assert violations(driver) == {}


def test_a_click_or_a_key_sorts_a_table(shown):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    heads = shown.find_elements(By.CSS_SELECTOR, "#summary-table th")
    names = [head.text.split("\n")[0].strip(" ↕") for head in heads]
    column = names.index("solved %")
    before = cells(shown, "summary-table", column)
    button = heads[column].find_element(By.TAG_NAME, "button")
    button.click()
    shares = [float(cell.split(" ")[0]) for cell in cells(shown, "summary-table", column)]
    assert shares == sorted(shares, reverse=True)
    assert heads[column].get_attribute("aria-sort") == "descending"
    button.send_keys(Keys.ENTER)
    assert cells(shown, "summary-table", column)[::-1] == cells_sorted(before)
    assert heads[column].get_attribute("aria-sort") == "ascending"


def cells_sorted(texts):
    return sorted(texts, key=lambda text: float(text.split(" ")[0]), reverse=True)


def test_two_numbers_choose_runs_by_keyboard(shown, runs):
    choose(shown, low="-0.6", high="-0.4")
    expected = finite(runs, "adam").filter(pl.col("C").cast(pl.Float64).is_between(-0.6, -0.4))
    assert 0 < len(expected) < 40
    assert cells(shown, "chosen", 0) == [str(seed) for seed in expected["seed"]]
    assert cells(shown, "chosen", 1) == expected["status"].to_list()
    assert cells(shown, "chosen", 5)[0] == (
        f"attnlogic train xor -o adam --epochs 80 --seed {expected['seed'][0]}"
    )
    told = shown.execute_script("return document.getElementById('said').textContent")
    assert told.startswith(f"{len(expected)} of {len(finite(runs, 'adam'))} runs chosen")
    for fields in ({"low": "0", "high": ""}, {"low": "", "high": "0"}):  # each alone, in each view
        shown.find_element("id", "reset").click()
        settled(shown)
        before = pictures(shown)
        choose(shown, **fields)
        assert all(a != b for a, b in zip(before, pictures(shown), strict=True))
    choose(shown, low="5", high="4")
    assert cells(shown, "chosen", 0) == []


def test_another_condition_has_its_own_runs(shown, runs):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import Select

    shown.find_element(By.ID, "reset").click()
    Select(shown.find_element(By.ID, "condition")).select_by_visible_text(
        f"xor · sgd ({len(finite(runs, 'sgd'))})"
    )
    settled(shown)
    assert cells(shown, "chosen", 0) == [str(seed) for seed in finite(runs, "sgd")["seed"]]
    Select(shown.find_element(By.ID, "condition")).select_by_index(0)
    settled(shown)


def test_a_drag_over_the_first_view_chooses_the_same_runs_everywhere(shown, runs):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By

    shown.find_element(By.ID, "reset").click()
    settled(shown)
    before = pictures(shown)
    canvas = shown.find_element(By.CSS_SELECTOR, "#view-0 canvas")
    drag = ActionChains(shown).move_to_element_with_offset(canvas, -40, 0).click_and_hold()
    drag.move_by_offset(40, 5).move_by_offset(40, 5).release().perform()
    settled(shown)
    low, high = float(value(shown, "low")), float(value(shown, "high"))
    assert low < high
    C = pl.col("C").cast(pl.Float64).round_sig_figs(6)
    expected = finite(runs, "adam").filter(C.is_between(low, high))
    assert 0 < len(expected) < len(finite(runs, "adam"))
    assert cells(shown, "chosen", 0) == [str(seed) for seed in expected["seed"]]
    assert all(a != b for a, b in zip(before, pictures(shown), strict=True))
    shown.find_element(By.ID, "reset").click()
    settled(shown)
    assert pictures(shown) == before


def pictures(driver):
    """What the three views show, pixel by pixel."""
    return driver.execute_script(
        "return [...document.querySelectorAll('.view canvas')].map((one) => one.toDataURL())"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1100, 360])
def test_it_passes_axe(page, scheme, width):
    with opened(page, width, prefers_color_scheme=scheme) as driver:
        driver.execute_script(
            "for (const one of document.querySelectorAll('details')) one.open = 1"
        )
        assert violations(driver) == {}


def test_nothing_is_wider_than_a_narrow_screen(page):
    with opened(page, width=360) as driver:
        too_wide = (
            "const root = document.documentElement; return root.scrollWidth - root.clientWidth"
        )
        assert driver.execute_script(too_wide) == 0


def test_it_follows_the_system_or_the_readers_choice(page):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import Select

    ground = "return getComputedStyle(document.body).backgroundColor"
    line = "return getComputedStyle(document.querySelector('.chart svg rect')).fill"
    with opened(page, prefers_color_scheme="dark") as driver:
        assert driver.execute_script(ground) == driver.execute_script(line) == "rgb(20, 23, 26)"
        Select(driver.find_element(By.ID, "theme")).select_by_value("light")
        settled(driver)
        assert driver.execute_script(ground) == driver.execute_script(line) == "rgb(255, 255, 255)"
        assert said_on_console(driver) == []


def test_everything_can_be_reached_by_keyboard(page):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    with opened(page) as driver:
        driver.execute_script(
            "window.reached = []; addEventListener('focusin', ({ target }) => reached.push("
            "target.id || target.getAttribute('href') || target.textContent.slice(0, 40)))"
        )
        ActionChains(driver).send_keys(Keys.TAB * 150).perform()
        reached = {*driver.execute_script("return window.reached")}
        assert {"theme", "condition", "low", "high", "reset", "#main", "#cite"} <= reached
        assert {"The numbers: times", "solved %"} <= reached


def test_it_prints_light_with_its_tables_open(page):
    with opened(page, prefers_color_scheme="dark") as driver:
        dark = [{"name": "prefers-color-scheme", "value": "dark"}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": dark})
        ground = "return getComputedStyle(document.body).backgroundColor"
        assert driver.execute_script(ground) == "rgb(255, 255, 255)"
        driver.execute_script("dispatchEvent(new Event('beforeprint'))")
        closed = "return document.querySelectorAll('details:not([open])').length"
        assert driver.execute_script(closed) == 0
        pdf = driver.execute_cdp_cmd("Page.printToPDF", {})["data"]
        assert len(pdf) > 50_000


def test_text_of_users_does_nothing(tmp_path):
    """As a gate, an optimizer, a folder: it is shown, and no script of it runs."""
    some = rows().with_columns(gate=pl.lit(NASTY), optimizer=pl.lit(f"adam{NASTY}"))
    other = rows().with_columns(optimizer=pl.lit('"><img src=x onerror=alert(1)>'))
    write_page(folder(tmp_path / NASTY.replace("/", "∕"), some, other), tmp_path / "page.html")
    with opened(tmp_path / "page.html") as driver:
        assert said_on_console(driver) == []
        shown = driver.execute_script("return document.body.innerText")
        assert NASTY in shown
        assert driver.execute_script("return document.querySelectorAll('img').length") == 0
        assert cells(driver, "chosen", 5)[0].startswith(
            f"attnlogic train '{NASTY}' -o 'adam{NASTY}'"
        )
        assert len(driver.window_handles) == 1  # an alert would have failed every call above
