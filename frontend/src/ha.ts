// What is used of Home Assistant's frontend: no more of it than what custom panels and cards are promised.

export type Unsubscribe = () => void | Promise<void>;

export interface Connection {
  subscribeMessage<T>(
    callback: (event: T) => void,
    message: object,
    options?: { resubscribe?: boolean },
  ): Promise<Unsubscribe>;
  /** "disconnected" is told when it is lost, "ready" when it is there again. */
  addEventListener(type: "ready" | "disconnected", listener: () => void): void;
  removeEventListener(type: "ready" | "disconnected", listener: () => void): void;
}

export interface Hass {
  connection: Connection;
  connected: boolean;
  language: string;
  locale: {
    language: string;
    time_format: "language" | "system" | "12" | "24";
    time_zone: "local" | "server";
  };
  config: { time_zone: string };
  user?: { is_admin: boolean; name: string };
  localize(key: string, values?: Record<string, string>): string;
  loadBackendTranslation(category: string, integration: string): Promise<Hass["localize"]>;
  callWS<T>(message: object): Promise<T>;
  fetchWithAuth(path: string, init: { method: string; body: Blob }): Promise<Response>;
  callService(domain: string, action: string, data: object): Promise<unknown>;
}

export interface Route {
  prefix: string;
  path: string;
}

/** An error of a websocket command, as the frontend's connection rejects it. */
export interface Refusal {
  code?: string;
  message?: string;
  translation_key?: string;
  translation_domain?: string;
  translation_placeholders?: Record<string, string>;
}

export const DOMAIN = "familiar_faces";

/** Say in the user's language what failed. */
export async function refusal(hass: Hass, error: unknown): Promise<string> {
  const { translation_key, translation_domain, translation_placeholders, message } = (error ?? {}) as Refusal;
  if (translation_key && translation_domain) {
    const localize = await hass.loadBackendTranslation("exceptions", translation_domain);
    const said = localize(
      `component.${translation_domain}.exceptions.${translation_key}.message`,
      translation_placeholders,
    );
    if (said) return said;
  }
  return message ?? String(error);
}

/** Have something done; return why it was refused, in words, and nothing when it was not. */
export async function attempt(hass: Hass, what: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await what();
    return undefined;
  } catch (error) {
    return refusal(hass, error);
  }
}

/** Return how to say the sentences that dialogs and the panel share, in the user's language. */
export async function sentences(hass: Hass): Promise<(group: string, key: string, values?: Record<string, string>) => string> {
  const localize = await hass.loadBackendTranslation("selector", DOMAIN);
  return (group, key, values) => localize(`component.${DOMAIN}.selector.${group}.options.${key}`, values);
}

export function fire(target: EventTarget, name: string, detail: object = {}): void {
  target.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
}

/** Have the browser store a file that an address gives. */
export function download(root: ParentNode, address: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = "";
  root.append(link);
  link.click();
  link.remove();
}

/** Go to another page of Home Assistant. */
export function navigate(path: string, replace = false): void {
  if (replace) history.replaceState(null, "", path);
  else history.pushState(null, "", path);
  fire(window, "location-changed", { replace });
}

/**
 * Resolves when Home Assistant's own elements are there. It puts a registry of its own before the browser's, which does
 * not know what was defined earlier: a card that is loaded first would not exist for dashboards.
 */
const home = document.querySelector("home-assistant") ? customElements.whenDefined("home-assistant") : Promise.resolve();

/** Make an element known under a name, once: another version of this module may have been loaded before. */
export function define(name: string, element: CustomElementConstructor): void {
  void home.then(() => {
    if (!customElements.get(name)) customElements.define(name, element);
  });
}
