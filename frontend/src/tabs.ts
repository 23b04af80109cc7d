// The tabs of the panel, in the order in which they are shown. A new one is a line here and an element of its own.

import { html } from "lit";
import type { VisitFeed } from "./feed";
import type { Hass } from "./ha";
import {
  mdiAccountCircleOutline,
  mdiAccountGroupOutline,
  mdiCctv,
  mdiClipboardCheckOutline,
  mdiHistory,
  mdiIncognito,
  mdiShieldLockOutline,
} from "./icons";
import type { Now } from "./model";
import type { Key } from "./text";
import "./cameras/tab";
import "./people/tab";
import "./privacy/tab";
import "./todo/tab";
import "./unnamed/tab";

/** What a tab knows of the panel besides. */
export interface Where {
  narrow: boolean;
  /** What follows the tab in the address, such as the id of a person. */
  rest: string | undefined;
}

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
  render?(hass: Hass, feed: VisitFeed | undefined, where: Where): unknown;
}

const administrators = (now: Now): boolean => now.administrator;

export const VISITS = "visits";
export const TODO = "todo";

export const TABS: readonly Tab[] = [
  { id: VISITS, icon: mdiHistory, name: "panel.visits", shown: () => true },
  {
    id: TODO,
    icon: mdiClipboardCheckOutline,
    name: "panel.todo",
    shown: administrators,
    // What could be better waits for nobody, and what is to be set up is counted once.
    count: ({ todo, setup }) =>
      todo.filter((each) => each.kind === "issue" || (each.kind === "step" && !setup)).length +
      Object.values(setup ?? {}).filter((done) => !done).length,
    render: (hass, feed) => html`<familiar-faces-todo .hass=${hass} .now=${feed?.now}></familiar-faces-todo>`,
  },
  {
    id: "people",
    icon: mdiAccountGroupOutline,
    name: "panel.people",
    shown: administrators,
    render: (hass, feed, { narrow, rest }) => html`<familiar-faces-people
      .hass=${hass}
      .person=${rest}
      .down=${feed?.now?.engine === "down"}
      ?narrow=${narrow}
    ></familiar-faces-people>`,
  },
  {
    id: "unnamed",
    icon: mdiIncognito,
    name: "panel.unnamed",
    shown: (now) => now.administrator && now.inbox !== null,
    count: (now) => now.inbox ?? 0,
    render: (hass, _feed, { narrow }) => html`<familiar-faces-unnamed .hass=${hass} ?narrow=${narrow}></familiar-faces-unnamed>`,
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
  {
    id: "me",
    icon: mdiAccountCircleOutline,
    name: "panel.me",
    shown: (now) => now.own !== null,
    render: (hass, feed, { narrow }) => html`<familiar-faces-person
      .hass=${hass}
      .down=${feed?.now?.engine === "down"}
      ?narrow=${narrow}
    ></familiar-faces-person>`,
  },
];
