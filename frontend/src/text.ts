// Texts in the user's language, from the integration's own translations, and times as the user reads them.

import de from "../../custom_components/familiar_faces/translations/de.json";
import en from "../../custom_components/familiar_faces/translations/en.json";
import nl from "../../custom_components/familiar_faces/translations/nl.json";
import type { Hass } from "./ha";

type Texts = (typeof en)["config_panel"];
export type Key = { [S in keyof Texts & string]: `${S}.${keyof Texts[S] & string}` }[keyof Texts & string];

const LANGUAGES: Record<string, Texts> = { de: de.config_panel, en: en.config_panel, nl: nl.config_panel };

export type Values = Record<string, string | number>;

/** Return a text. What stands for a value is never markup: Lit sets it as text. */
export function text(hass: Hass | undefined, key: Key, values: Values = {}): string {
  const language = (hass?.locale?.language ?? hass?.language ?? "en").split("-")[0] ?? "en";
  const texts = (LANGUAGES[language] ?? en.config_panel) as Record<string, Record<string, string>>;
  const [section, name] = key.split(".") as [string, string];
  const found = texts[section]?.[name] ?? key;
  return found.replace(/\{(\w+)\}/g, (whole, each: string) => (each in values ? String(values[each]) : whole));
}

/** Return the key of a text that depends on a value; undefined where there is no such text. */
export function keyed(section: keyof Texts, name: string): Key | undefined {
  return name in en.config_panel[section] ? (`${section}.${name}` as Key) : undefined;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(hass: Hass, options: Intl.DateTimeFormatOptions, atHome = false): Intl.DateTimeFormat {
  const { language, time_format, time_zone } = hass.locale;
  const hour12 = time_format === "12" ? true : time_format === "24" ? false : undefined;
  const locale = time_format === "system" ? undefined : language;
  const zone = atHome || time_zone === "server" ? hass.config.time_zone : undefined;
  const key = JSON.stringify([locale, hour12, zone, options]);
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(locale, {
      ...options,
      ...(options.hour && hour12 !== undefined ? { hour12 } : {}),
      ...(zone ? { timeZone: zone } : {}),
    });
    formats.set(key, found);
  }
  return found;
}

export function time(hass: Hass, moment: string): string {
  return format(hass, { hour: "numeric", minute: "2-digit" }).format(new Date(moment));
}

export function moment(hass: Hass, at: string): string {
  return format(hass, { dateStyle: "medium", timeStyle: "medium" }).format(new Date(at));
}

/** Return the day of a moment where the user is, such as 2026-11-30. */
export function day(hass: Hass, moment: string | number): string {
  const parts = format(hass, { year: "numeric", month: "2-digit", day: "2-digit", calendar: "iso8601", numberingSystem: "latn" })
    .formatToParts(new Date(moment));
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")}`;
}

/** Return another day, so many days later. */
export function later(of: string, days: number): string {
  const date = new Date(`${of}T12:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}

/** Return a day and its month, such as 14 November, whatever day it is. */
export function plainDay(hass: Hass, of: string): string {
  return new Intl.DateTimeFormat(hass.locale.language, { day: "numeric", month: "long", timeZone: "UTC" })
    .format(new Date(`${of}T12:00:00Z`));
}

/** Return what a day is called. */
export function dayName(hass: Hass, of: string): string {
  const today = day(hass, Date.now());
  if (of === today) return text(hass, "list.today");
  if (of === later(today, -1)) return text(hass, "list.yesterday");
  if (of === later(today, 1)) return text(hass, "list.tomorrow");
  const { language } = hass.locale;
  const year = of.slice(0, 4) === today.slice(0, 4) ? {} : { year: "numeric" as const };
  return new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long", timeZone: "UTC", ...year })
    .format(new Date(`${of}T12:00:00Z`));
}

/** Return the moment at which a day begins where the user is. */
export function beginning(hass: Hass, of: string): string {
  // A clock may be turned in that night: the first of the moments that are so named.
  const noon = Date.parse(`${of}T12:00:00Z`);
  let low = noon - 36 * 3_600_000;
  let high = noon + 24 * 3_600_000;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (day(hass, middle) >= of) high = middle;
    else low = middle;
  }
  return new Date(high).toISOString();
}

/** Return a short word for when something was: the time today, else the day. */
export function when(hass: Hass, at: string): string {
  const of = day(hass, at);
  const said = time(hass, at);
  return of === day(hass, Date.now()) ? said : `${dayName(hass, of)}, ${said}`;
}

/** Return a size, such as 1.2 MB. */
export function bytes(hass: Hass, size: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const step = Math.min(Math.floor(Math.log10(Math.max(size, 1)) / 3), units.length - 1);
  return new Intl.NumberFormat(hass.locale.language, { style: "unit", unit: units[step], maximumFractionDigits: 1 })
    .format(size / 1000 ** step);
}

/** Return a short time, such as 60 ms or 1.4 sec. */
export function duration(hass: Hass, ms: number): string {
  const [unit, value] = ms < 1000 ? ["millisecond", Math.round(ms)] : ["second", ms / 1000];
  return new Intl.NumberFormat(hass.locale.language, { style: "unit", unit: unit as string, maximumFractionDigits: 1 }).format(
    value as number,
  );
}

/** Return for how long something has been going on, in whole minutes, hours or days. */
export function lasting(hass: Hass, seconds: number): string {
  const [unit, of] = seconds >= 2 * 86_400 ? ["day", 86_400] : seconds >= 2 * 3_600 ? ["hour", 3_600] : ["minute", 60];
  return new Intl.NumberFormat(hass.locale.language, { style: "unit", unit: unit as string, unitDisplay: "long" })
    .format(Math.floor(seconds / (of as number)));
}

/** Return how long something is kept, in the largest unit that says it exactly. */
export function period(hass: Hass, seconds: number): string {
  const month = (365 / 12) * 86_400;
  const [unit, of] =
    seconds % month === 0 ? ["month", month] : seconds % 86_400 === 0 && seconds > 86_400 ? ["day", 86_400] : ["hour", 3_600];
  return new Intl.NumberFormat(hass.locale.language, { style: "unit", unit: unit as string, unitDisplay: "long" })
    .format(seconds / (of as number));
}

/** Return a date, such as 14 November 2027. */
export function date(hass: Hass, at: string): string {
  return format(hass, { dateStyle: "long" }).format(new Date(at));
}

/** Return the date of a consent: it begins and ends with a day of the home, wherever the user is. */
export function homeDate(hass: Hass, at: string): string {
  return format(hass, { dateStyle: "long" }, true).format(new Date(at));
}

/** Return the last day of a consent, which ends with the midnight after it. */
export function lastDay(hass: Hass, until: string): string {
  return format(hass, { dateStyle: "long" }, true).format(Date.parse(until) - 1);
}

/** Return the month of that day, such as Nov 2027. */
export function lastMonth(hass: Hass, until: string): string {
  return format(hass, { month: "short", year: "numeric" }, true).format(Date.parse(until) - 1);
}

/** Return things as they are listed in a sentence. */
export function list(hass: Hass, each: string[]): string {
  return new Intl.ListFormat(hass.locale.language, { type: "conjunction" }).format(each);
}
