"""Automations made by hand in Home Assistant's own editor: searched for, filled in and saved with clicks."""

import re

from playwright.async_api import Locator

from .browser import SETTLED, Frontend

type Fields = dict[str, str | list[str]]
"""What to fill in by the labels of the fields: texts, numbers, "mm:ss", or names to choose."""


TO_THE_TOP = """(element) => {
    const scroll = (root) => {
        for (const each of root.querySelectorAll("*")) {
            each.scrollTop = 0;
            if (each.shadowRoot) scroll(each.shadowRoot);
        }
    };
    scroll(element.shadowRoot ?? element);
}"""


class Editor:
    """The automation editor of a frontend."""

    def __init__(self, frontend: Frontend) -> None:
        """Edit in this frontend."""
        self._frontend = frontend
        self._page = frontend.page
        self._sidebar = self._page.locator("ha-automation-sidebar")

    async def begin(self) -> None:
        """Open Settings > Automations & scenes > Create automation > Create new automation."""
        await self._create("Create new automation")
        await self._page.get_by_role("button", name="Add trigger").wait_for()

    async def add(
        self, what: str, name: str, fields: Fields | None = None, target: str | None = None, shot: str = ""
    ) -> None:
        """Add a trigger, a condition or an action by its name, and fill it in; `target`: an entity or a device."""
        await self._page.get_by_role("button", name=f"Add {what}").last.click()
        dialog = self._page.locator("add-automation-element-dialog")
        await dialog.locator("ha-input-search input").fill(name)
        found = dialog.get_by_text(name, exact=True)
        await found.first.wait_for()
        if shot:
            await self._frontend.seen(f"{shot}-search")
        await found.first.click()
        await self._sidebar.get_by_text(name).first.wait_for()
        if shot:
            await self._frontend.seen(f"{shot}-empty")
        if target is not None:
            await self._sidebar.get_by_role("button", name="Add target").click()
            await self._choose(target)
        await self.fill(self._sidebar, fields or {})
        if shot:
            await self._sidebar.evaluate(TO_THE_TOP)
            await self._frontend.seen(shot)
        await self._close_sidebar()

    async def begin_on_device(self, device: str, trigger: str, shot: str = "") -> None:
        """Begin an automation on the page of a device, with one of the triggers that are offered for it."""
        await self._frontend.show_device(device, f"{shot}-page" if shot else None)
        await self._page.get_by_role("button", name="Add to…").first.click()
        await self._page.get_by_role("button", name="Create as a new trigger").click()
        dialog = self._page.locator("add-automation-element-dialog")
        offered = dialog.get_by_role("button", name=re.compile(rf"^{re.escape(trigger)}\b"))
        await offered.wait_for()
        if shot:
            await self._frontend.seen(f"{shot}-triggers")
        await offered.click()
        await self._close_sidebar()

    async def add_of_device(
        self, what: str, device: str, name: str, times: Fields | None = None, shot: str = ""
    ) -> None:
        """Add a trigger or a condition of a device: By type > Device."""
        await self._page.get_by_role("button", name=f"Add {what}").last.click()
        dialog = self._page.locator("add-automation-element-dialog")
        await dialog.get_by_role("button", name="By type").click()
        # From frontend 20261028 on it is also at the top once it was used, where a click adds it at once.
        await dialog.get_by_text("Device", exact=True).last.click()
        await dialog.get_by_role("button", name=re.compile("^Device .")).click()
        await self._sidebar.locator("ha-device-picker ha-picker-field").click()
        await self._choose(device)
        kinds = self._sidebar.locator(f"ha-device-{what}-picker")
        await kinds.locator("ha-picker-field, ha-select").first.click()
        if shot:
            await self._frontend.seen(f"{shot}-choices")
        await self._choose(name)
        for label, value in (times or {}).items():
            await self._fill_duration(self._sidebar.get_by_role("group", name=label), str(value))
        if shot:
            await self._frontend.seen(shot)
        await self._close_sidebar()

    async def begin_blueprint(self, name: str) -> None:
        """Open Create automation, and choose a blueprint by its name."""
        await self._create(name)
        await self._page.locator("blueprint-automation-editor").wait_for()

    async def fill_blueprint(self, fields: Fields, shot: str = "") -> None:
        """Fill in a blueprint, and look at it from its beginning."""
        editor = self._page.locator("blueprint-automation-editor")
        if shot:
            await self._frontend.seen(f"{shot}-empty")
        await self.fill(editor, fields)
        await editor.locator("ha-settings-row").first.scroll_into_view_if_needed()
        if shot:
            await self._frontend.seen(shot)

    async def save(self, name: str, shot: str = "") -> None:
        """Save the automation under a name."""
        await self._page.get_by_role("button", name="Save").last.click()
        dialog = self._page.locator("ha-dialog-automation-save")
        await dialog.get_by_role("textbox", name="Name").fill(name)
        await dialog.get_by_role("button", name="Save").last.click()
        await self._page.wait_for_url(re.compile(r"/config/automation/edit/\d+"))
        if shot:
            await self._frontend.seen(shot)

    async def look_at(self, automation_id: str, title: str) -> None:
        """Look at an automation, and at each of its triggers and conditions."""
        await self._frontend.show(f"/config/automation/edit/{automation_id}")
        name = title.lower().replace(" ", "-")
        await self._frontend.seen(f"automation-{name}")
        for what in ("trigger", "condition"):
            rows = self._page.locator(f"ha-automation-{what}-row")
            for number in range(await rows.count()):
                # Its beginning: targets further on open a dialog of their own.
                await rows.nth(number).locator("h3").click(position={"x": 8, "y": 8})
                await self._sidebar.get_by_role("button", name="Close").first.wait_for()
                await self._frontend.seen(f"automation-{name}-{what}")
                await self._close_sidebar()

    async def fill(self, form: Locator, fields: Fields) -> None:
        """Fill in fields of a form."""
        for label, value in fields.items():
            row = form.locator("ha-settings-row").filter(has=self._page.get_by_text(label, exact=True)).first
            if await (box := row.locator("ha-checkbox")).count():
                await box.first.click()
            await self._fill(row, value)

    async def _fill(self, row: Locator, value: str | list[str]) -> None:
        """Fill in one field, whatever it is."""
        if isinstance(value, list):
            for each in value:
                # From frontend 20261028 on a list that may hold several has a field that nobody sees, too.
                opens = row.locator("ha-picker-field, ha-generic-picker ha-button").filter(visible=True)
                await opens.last.click()
                await self._choose(each)
        elif await row.locator("ha-selector-duration").count():
            await self._fill_duration(row, value)
        elif await row.locator("ha-selector-time").count():
            await self._fill_time(row, value)
        elif await row.locator("ha-selector-boolean").count():
            await row.locator("ha-switch, input").last.click(force=True)
        elif await row.locator("ha-selector-select").count():
            await row.get_by_text(value, exact=True).first.click()
        else:
            await row.locator("input, textarea").last.fill(value)

    async def _fill_duration(self, row: Locator, value: str) -> None:
        """Fill in a duration, "minutes:seconds"."""
        minutes, seconds = value.split(":")
        await row.get_by_role("spinbutton", name="mm").fill(minutes)
        await row.get_by_role("spinbutton", name="ss").fill(seconds)
        # What was typed is shown in two digits only once another field has the focus.
        await row.get_by_role("spinbutton", name="ss").press("Tab")

    async def _fill_time(self, row: Locator, value: str) -> None:
        """Fill in a time of the day, "hh:mm", as it is written in English."""
        hours, minutes = (int(part) for part in value.split(":"))
        await row.get_by_role("spinbutton", name="hh").fill(str(hours % 12 or 12))
        await row.get_by_role("spinbutton", name="mm").fill(str(minutes))
        await row.get_by_role("spinbutton", name="mm").press("Tab")
        half = "PM" if hours >= 12 else "AM"
        if not await row.get_by_text(half, exact=True).first.is_visible():
            await row.locator("ha-select").click()
            await row.locator("ha-dropdown-item").filter(has_text=half).click()

    async def _choose(self, name: str) -> None:
        """Choose from the list that is open, searching for it by name."""
        box = self._page.locator("ha-picker-combo-box").last
        await box.locator("input").first.fill(name)
        # Devices come after their entities, which hold their name too.
        await (
            box.locator("ha-combo-box-item")
            .filter(has_text=re.compile(rf"^\s*{re.escape(name)}"))
            .last.click()
        )
        await self._page.wait_for_timeout(SETTLED)

    async def _close_sidebar(self) -> None:
        await self._sidebar.get_by_role("button", name="Close").first.click()
        await self._page.wait_for_timeout(SETTLED)

    async def _create(self, what: str) -> None:
        await self._frontend.show("/config/automation/dashboard")
        await self._page.get_by_role("button", name="Create automation").last.click()
        dialog = self._page.locator("ha-dialog-new-automation")
        # The second one from frontend 20261125 on.
        offered = dialog.locator("ha-list-item, ha-list-item-button")
        await offered.filter(has_text=what).first.click()
