"""Find, point, press and measure in a browser, for the tests of pages."""

import re
from types import SimpleNamespace

import pytest


def find(driver, selector):
    return driver.find_element("css selector", selector)


def texts(driver, selector):
    return [each.text for each in driver.find_elements("css selector", selector)]


def press(driver, selector, *keys):
    find(driver, selector).send_keys(*keys)


def keys():
    return pytest.importorskip("selenium.webdriver").Keys


def point_at(driver, x, y, click=False):
    from selenium.webdriver.common.actions.action_builder import ActionBuilder

    actions = ActionBuilder(driver, duration=0)
    moved = actions.pointer_action.move_to_location(round(x), round(y))
    if click:
        moved.click()
    actions.perform()


def choose_option(driver, selector, value):
    find(driver, f'{selector} option[value="{value}"]').click()


def box(driver, selector):
    script = "return document.querySelector(arguments[0]).getBoundingClientRect().toJSON()"
    return SimpleNamespace(**driver.execute_script(script, selector))


def box_of(element):
    script = "return arguments[0].getBoundingClientRect().toJSON()"
    return SimpleNamespace(**element.parent.execute_script(script, element))


def settle(driver):
    """Let the browser lay out and tell of scrolling, which it does once a frame."""
    driver.execute_async_script(
        "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))"
    )


def resize(driver, width, height, mobile=False):
    """Make the window so large; the fixture `show` undoes it."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    settle(driver)


def points(d):
    """Return the points of a path of lines, in mm."""
    return [[float(number) for number in pair.split()] for pair in re.findall(r"-?[\d.]+ -?[\d.]+", d)]
