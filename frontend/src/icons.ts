// Icons, as paths of 24 by 24: drawn at once, where Home Assistant's own element fetches them.

import { type TemplateResult, svg, html } from "lit";

export {
  mdiAccountQuestion,
  mdiAlertCircleOutline,
  mdiBellOff,
  mdiBellOffOutline,
  mdiCalendarClock,
  mdiCctv,
  mdiCheck,
  mdiCheckCircle,
  mdiChevronDown,
  mdiChevronLeft,
  mdiChevronRight,
  mdiChevronUp,
  mdiClipboardCheckOutline,
  mdiClose,
  mdiCogOutline,
  mdiDoor,
  mdiHelpCircleOutline,
  mdiHistory,
  mdiImageOffOutline,
  mdiImageRefreshOutline,
  mdiLanDisconnect,
  mdiMenu,
  mdiTimerSandEmpty,
} from "@mdi/js";

export function icon(path: string): TemplateResult {
  return html`<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">${svg`<path d=${path}></path>`}</svg>`;
}
