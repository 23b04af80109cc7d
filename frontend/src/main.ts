// The one module that browsers load: the panel, and the card for dashboards.

import "./card/card";
import "./card/editor";
import type { Hass } from "./ha";
import "./panel";
import { text } from "./text";

interface Offered {
  type: string;
  name: string;
  description: string;
  preview: boolean;
}

// Dashboards offer the card by this list, in the language of the page.
const home = document.querySelector<HTMLElement & { hass?: Hass }>("home-assistant");
const reader = home?.hass ?? ({ language: document.documentElement.lang || "en" } as Hass);
const offered = ((window as unknown as { customCards?: Offered[] }).customCards ??= []);
if (!offered.some((each) => each.type === "familiar-faces-card")) {
  offered.push({
    type: "familiar-faces-card",
    name: text(reader, "card.name"),
    description: text(reader, "card.description"),
    preview: true,
  });
}
