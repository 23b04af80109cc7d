// Words that the dialogs of Home Assistant use as well: fetched from it, so that each is written once.

import { DOMAIN, type Hass } from "./ha";

export class Words {
  private localize: Hass["localize"] | undefined;
  private language: string | undefined;

  constructor(private readonly changed: () => void) {}

  /** Have them in the user's language. */
  load(hass: Hass): void {
    if (this.language === hass.language) return;
    this.language = hass.language;
    void hass.loadBackendTranslation("selector", DOMAIN).then((localize) => {
      this.localize = localize;
      this.changed();
    });
  }

  /** Return an option of a selector; nothing until they are here. */
  say(selector: string, option: string, values: Record<string, string> = {}): string {
    return this.localize?.(`component.${DOMAIN}.selector.${selector}.options.${option}`, values) ?? "";
  }
}
