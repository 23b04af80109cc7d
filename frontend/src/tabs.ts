// The tabs of the panel, in the order in which they are shown. A new one is a line here and an element of its own.

import { html } from "lit";
import type { VisitFeed } from "./feed";
import type { Hass } from "./ha";
import { mdiCctv, mdiClipboardCheckOutline, mdiHistory, mdiShieldLockOutline } from "./icons";
import type { Now } from "./model";
import type { Key } from "./text";
import "./cameras/tab";
import "./privacy/tab";
import "./todo/tab";

export interface Tab {
  /** Its part of the address. */
  id: string;
  icon: string;
  name: Key;
  /** Whether somebody is shown it; the server decides what it may say to them. */
  shown(now: Now): boolean;
  /** How many things wait in it. */
  count?(now: Now): number;
  /** What is shown. The tab Visits is always there, because it follows what happens. */
  render?(hass: Hass, feed: VisitFeed | undefined): unknown;
}

const administrators = (now: Now): boolean => now.administrator;

export const VISITS = "visits";

export const TABS: readonly Tab[] = [
  { id: VISITS, icon: mdiHistory, name: "panel.visits", shown: () => true },
  {
    id: "todo",
    icon: mdiClipboardCheckOutline,
    name: "panel.todo",
    shown: administrators,
    count: (now) => now.todo.length,
    render: (hass, feed) => html`<familiar-faces-todo .hass=${hass} .todo=${feed?.now?.todo ?? []}></familiar-faces-todo>`,
  },
  {
    id: "cameras",
    icon: mdiCctv,
    name: "panel.cameras",
    shown: administrators,
    render: (hass, feed) => html`<familiar-faces-cameras .hass=${hass} .now=${feed?.now}></familiar-faces-cameras>`,
  },
  {
    id: "privacy",
    icon: mdiShieldLockOutline,
    name: "panel.privacy",
    shown: administrators,
    render: (hass, feed) => html`<familiar-faces-privacy .hass=${hass} .now=${feed?.now}></familiar-faces-privacy>`,
  },
];
